// A file system of our own on a loop device, which can lose its power.

import { mkdirSync, readFileSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errno } from '../../src/core/index.js';
import { O_DIRECTORY, O_RDONLY, AT_FDCWD, close, ioctl, must, openat, umount2 } from '../../src/sys/index.js';
import { runProgram } from './requires.js';

export type ImageKind = 'ext4' | 'xfs';

const MIB = 1 << 20;
/** mkfs.xfs makes nothing smaller than 300 MiB. */
const SIZE: Readonly<Record<ImageKind, number>> = { ext4: 64 * MIB, xfs: 320 * MIB };
const MKFS: Readonly<Record<ImageKind, readonly string[]>> = {
  ext4: ['mkfs.ext4', '-q', '-F'],
  xfs: ['mkfs.xfs', '-q', '-f'],
};

/** `_IOR('X', 125, __u32)`: XFS_IOC_GOINGDOWN and EXT4_IOC_SHUTDOWN. */
const SHUTDOWN = 0x8004587d;
/** XFS_FSOP_GOING_FLAGS_NOLOGFLUSH, EXT4_GOING_FLAGS_NOLOGFLUSH: what is in memory only is lost. */
const NO_LOG_FLUSH = 2;

/** Mounted below `dir`, an empty directory of a TempDir, whose removal ends it: loop devices end with their mount. */
export class LoopImage {
  readonly mountpoint: string;
  readonly #file: string;

  constructor(dir: string, kind: ImageKind, options: { size?: number; mkfs?: readonly string[] } = {}) {
    this.#file = path.join(dir, 'image');
    this.mountpoint = path.join(dir, 'disk');
    writeFileSync(this.#file, '');
    truncateSync(this.#file, options.size ?? SIZE[kind]);
    const [program, ...args] = MKFS[kind];
    runProgram(program!, [...args, ...(options.mkfs ?? []), this.#file]);
    mkdirSync(this.mountpoint);
    this.mount();
  }

  mount(): void {
    runProgram('mount', ['-o', 'loop', this.#file, this.mountpoint]);
  }

  /**
   * Waits for what a server that has just ended held open, and until the kernel has let go of the file system: a mount namespace that
   * somebody has made meanwhile (a container's, before it turns away from the host's mounts) keeps it for a moment, and mounting it again
   * then gives the one that has lost its power.
   */
  async unmount(): Promise<void> {
    const deadline = Date.now() + 20_000;
    const isLate = (): boolean => Date.now() > deadline;
    for (;;) {
      const status = umount2(this.mountpoint);
      if (status !== -errno.EBUSY || isLate()) {
        must(status, 'umount', this.mountpoint);
        break;
      }
      await sleep(20);
    }
    while (this.#isAttached()) {
      if (isLate()) throw new Error(`${this.mountpoint} is un-mounted, and still mounted in another mount namespace`);
      await sleep(5);
    }
  }

  /** Whether a loop device has it: each ends with its file system. */
  #isAttached(): boolean {
    return readdirSync('/sys/block').some((name) => name.startsWith('loop') && backingFile(name) === this.#file);
  }

  /** Loses power: from now on nothing reaches the disk, and every access is EIO. */
  shutDown(): void {
    const fd = must(openat(AT_FDCWD, this.mountpoint, O_RDONLY | O_DIRECTORY), 'open', this.mountpoint);
    try {
      const flags = Buffer.alloc(4);
      flags.writeUInt32LE(NO_LOG_FLUSH);
      must(ioctl(fd, SHUTDOWN, flags), 'shutdown', this.mountpoint);
    } finally {
      close(fd);
    }
  }

  /** After a loss of power: what is on the disk, with its journal replayed. */
  async restart(): Promise<void> {
    await this.unmount();
    this.mount();
  }
}

/** Undefined for a loop device that has none. */
function backingFile(device: string): string | undefined {
  try {
    return readFileSync(`/sys/block/${device}/loop/backing_file`, 'utf8').trimEnd();
  } catch {
    return undefined;
  }
}
