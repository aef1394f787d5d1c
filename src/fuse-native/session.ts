// A mount through `fuse-native`, from mount to un-mount. The package calls its handlers in the event loop of the process's
// main thread, and in no other; libfuse's own threads wait for them.

import { readdirSync, readlinkSync } from 'node:fs';
import { SysError, VeneerError, errno, messageOf } from '../core/index.js';
import type { Filesystem } from '../fuse/index.js';
import { MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY, close, duplicate, failureAside, must } from '../sys/index.js';
import type { FuseNative, NativeMount } from './library.js';
import { Operations } from './operations.js';

export interface NativeSessionOptions {
  readonly library: FuseNative;
  readonly mountpoint: string;
  /** What `mount` and `findmnt` show as the source. */
  readonly source: string;
  /** Shown as `fuse.SUBTYPE`. */
  readonly subtype: string;
  /** MS_*. */
  readonly flags: number;
  readonly filesystem: Filesystem;
  /** Seconds for which the kernel may trust names and attributes; without it names for ever, and attributes never. */
  readonly timeout: number | undefined;
  /** Called when the mount answers. */
  readonly onReady: () => void;
  readonly logError: (message: string, error: unknown) => void;
}

const FOR_EVER = 1e9;

/**
 * What the package passes on to libfuse, as its `fsname`: a list of options, of which it knows only some. The kernel does not
 * hear of other names of a file that was changed by one name, so attributes are not kept.
 */
export function mountWords(
  options: Pick<NativeSessionOptions, 'source' | 'flags' | 'timeout'>,
  isRoot: boolean,
): string {
  const { flags, timeout } = options;
  const has = (flag: number): boolean => (flags & flag) !== 0;
  const names = String(timeout ?? FOR_EVER);
  return [
    options.source.replace(/[\\,]/g, '\\$&'),
    'nonempty',
    'use_ino',
    'big_writes',
    `entry_timeout=${names}`,
    `negative_timeout=${names}`,
    `attr_timeout=${String(timeout ?? 0)}`,
    ...(has(MS_RDONLY) ? ['ro'] : []),
    ...(has(MS_NOEXEC) ? ['noexec'] : []),
    // Libfuse adds both for everybody; only root may take them away.
    ...(isRoot && !has(MS_NOSUID) ? ['suid'] : []),
    ...(isRoot && !has(MS_NODEV) ? ['dev'] : []),
  ].join(',');
}

/** The device libfuse has opened for the mount. */
function fuseDevice(): number {
  for (const entry of readdirSync('/proc/self/fd')) {
    try {
      if (readlinkSync(`/proc/self/fd/${entry}`) === '/dev/fuse') return Number(entry);
    } catch {
      // The fd of the listing itself is closed by now.
    }
  }
  throw new SysError(errno.ENODEV, 'open', '/dev/fuse');
}

const settled = (call: (done: (error: Error | null | undefined) => void) => void): Promise<void> =>
  new Promise((resolve, reject) => {
    call((error) => {
      if (error === null || error === undefined) resolve();
      else reject(error);
    });
  });

/** One per process: the mount's device is found by its name. */
export class NativeSession {
  readonly #options: NativeSessionOptions;

  constructor(options: NativeSessionOptions) {
    this.#options = options;
  }

  /** Mounts, and serves until un-mounted. Throws `unavailable`. */
  async run(): Promise<void> {
    const { filesystem, library, onReady } = this.#options;
    filesystem.init({
      passthrough: false,
      openBacking: () => -errno.EOPNOTSUPP,
      closeBacking: () => undefined,
      // The package cannot tell the kernel anything of its own accord.
      invalidateAttributes: () => undefined,
    });
    const mount = await this.#mount();
    // Libfuse tells nobody that the mount has ended, and closes its own fd. The device has an error then (fuse_dev_poll).
    const device = must(duplicate(fuseDevice()), 'dup');
    const ended = failureAside(device);
    onReady();
    await ended;
    close(device);
    filesystem.destroy();
    // What `unmount` would do first has been done; what is left is to let go of the event loop.
    library.unmount = (_mountpoint, done) => {
      done(null);
    };
    await settled((done) => {
      mount.unmount(done);
    });
  }

  async #mount(): Promise<NativeMount> {
    const { library, mountpoint, subtype } = this.#options;
    const fsname = mountWords(this.#options, process.geteuid?.() === 0);
    const mount = new library(mountpoint, new Operations(this.#options), {
      fsname,
      subtype,
      defaultPermissions: true,
      timeout: false,
    });
    try {
      await settled((done) => {
        mount.mount(done);
      });
    } catch (cause) {
      throw new VeneerError('unavailable', `fuse-native cannot mount on '${mountpoint}': ${messageOf(cause)}`, {
        hint: 'it says no more; a mount without --transport does',
        cause,
      });
    }
    return mount;
  }
}
