// A thread that waits for the end of a mount, of which libfuse tells nobody, and that un-mounts when it is asked to.

import { parentPort, workerData } from 'node:worker_threads';
import { endMount } from '../fuse/index.js';
import { POLLIN, PollSet, close, read } from '../sys/index.js';

export interface KeeperSetup {
  /** A second fd of the mount's device, which has an error when it is un-mounted (fuse_dev_poll). */
  readonly device: number;
  /** An eventfd: to be rung to un-mount. */
  readonly ending: number;
  readonly mountpoint: string;
}

/** Why the mount could not be ended: -errno. */
export interface KeeperMessage {
  readonly status: number;
}

const port = parentPort;
if (port !== null) {
  const { device, ending, mountpoint } = workerData as KeeperSetup;
  // Input on the device is for libfuse.
  const poll = new PollSet([device, ending], [0, POLLIN]);
  for (;;) {
    poll.wait(-1);
    if (poll.ready(0) !== 0) break;
    if (poll.ready(1) === 0) continue;
    read(ending, Buffer.alloc(8));
    const status = endMount(mountpoint);
    const message: KeeperMessage = { status };
    if (status < 0) port.postMessage(message);
  }
  close(device);
}
