// Mounts of the kernel's overlayfs.

import { errno } from '../../src/core/index.js';
import { mount, must } from '../../src/sys/index.js';

const PATIENCE = 10_000;
const PAUSE = 20;

/**
 * Mounts. A mount namespace that somebody made while the upper was mounted before, as a container's start does, has that mount for a moment
 * longer than we do, and the upper is in use until then.
 */
export function mountKernelOverlay(target: string, data: string): void {
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    const status = mount({ source: 'overlay', target, type: 'overlay', flags: 0, data });
    if (status !== -errno.EBUSY || Date.now() > deadline) {
      must(status, `mount -t overlay -o ${data}`, target);
      return;
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE);
  }
}
