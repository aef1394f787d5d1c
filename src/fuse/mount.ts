// Mounting through /dev/fuse: with mount(2) as root or inside a user namespace that has CAP_SYS_ADMIN, else through
// the helper that users have for it.

import { SysError, VeneerError, errno, toByteString } from '../core/index.js';
import {
  AT_FDCWD,
  MNT_DETACH,
  O_NONBLOCK,
  O_RDWR,
  Stat,
  close,
  mount,
  openat,
  statxFollow,
  umount2Aside,
} from '../sys/index.js';
import type * as Helper from './mount-helper.js';

export interface MountOptions {
  readonly mountpoint: string;
  /** What `mount` and `findmnt` show as the source. */
  readonly source: string;
  /** Shown as `fuse.SUBTYPE`. */
  readonly subtype: string;
  /** MS_*. */
  readonly flags: number;
  /** Let users other than the one who mounts in. */
  readonly allowOther: boolean;
}

/** Loaded for those who need it only. */
const helper = async (): Promise<typeof Helper> => import('./mount-helper.js');

/** Refusals that do not hold for a setuid helper. */
const isRefusal = (status: number): boolean => status === -errno.EPERM || status === -errno.EACCES;

/** Mounts at a directory and resolves to the FUSE device, non-blocking. Throws VeneerError; on failure nothing stays mounted. */
export async function mountFuse(options: MountOptions): Promise<number> {
  const device = openat(AT_FDCWD, '/dev/fuse', O_RDWR | O_NONBLOCK);
  // To who is root already, here or in a user namespace, the helper opens nothing more.
  if (device < 0 && (!isRefusal(device) || process.geteuid?.() === 0)) throw deviceError(device);
  const mounted = device < 0 ? device : mountDevice(device, options);
  if (mounted >= 0) return device;
  if (device >= 0) close(device);
  const helped = isRefusal(mounted) ? (await helper()).mountByHelper(options) : undefined;
  if (helped !== undefined) return helped;
  throw device < 0 ? deviceError(device) : mountError(options.mountpoint, -mounted);
}

function deviceError(status: number): VeneerError {
  const cause = new SysError(-status, 'open', '/dev/fuse');
  return new VeneerError('unavailable', `cannot open /dev/fuse: ${cause.message}`, {
    hint: isRefusal(status) ? howToMayOpen() : 'load the fuse module (modprobe fuse)',
    cause,
  });
}

const HOW_TO_MAY = 'mounting needs root, a user namespace (unshare -Urm), or fusermount3 (package fuse3)';

/** Root of a user namespace lacks no right but to the device, which is root's own where udev has not opened it to all. */
function howToMayOpen(): string {
  return process.geteuid?.() === 0 ? "as the machine's root: chmod 666 /dev/fuse" : HOW_TO_MAY;
}

/** mount(2) with an open device. Returns 0 or -errno. */
function mountDevice(device: number, options: MountOptions): number {
  const stat = new Stat();
  const target = toByteString(options.mountpoint);
  const status = statxFollow(AT_FDCWD, target, stat);
  if (status < 0) return status;
  const data = [
    `fd=${String(device)}`,
    `rootmode=${stat.type.toString(8)}`,
    `user_id=${String(process.geteuid?.() ?? 0)}`,
    `group_id=${String(process.getegid?.() ?? 0)}`,
    'default_permissions',
    ...(options.allowOther ? ['allow_other'] : []),
  ].join(',');
  return mount({
    source: toByteString(options.source),
    target,
    type: `fuse.${options.subtype}`,
    flags: options.flags,
    data,
  });
}

function mountError(mountpoint: string, error: number): VeneerError {
  const cause = new SysError(error, 'mount', mountpoint);
  const refused = isRefusal(-error);
  return new VeneerError(refused ? 'permission' : 'invalid', `cannot mount on '${mountpoint}': ${cause.message}`, {
    cause,
    ...(refused ? { hint: HOW_TO_MAY } : {}),
  });
}

/** Un-mounts, with the rights of this process or through the helper. `lazy` takes a busy mount out of sight. Resolves to 0 or -errno. */
export async function unmount(mountpoint: string, options: { readonly lazy: boolean }): Promise<number> {
  const status = await umount2Aside(toByteString(mountpoint), options.lazy ? MNT_DETACH : 0);
  return status === -errno.EPERM ? (await helper()).unmountByHelper(mountpoint, options) : status;
}

/**
 * Un-mounts from within the server, which goes on answering meanwhile; a busy mount is detached and ends with its last user.
 * Resolves to 0 or -errno.
 */
export async function endMount(mountpoint: string): Promise<number> {
  const status = await unmount(mountpoint, { lazy: false });
  return status === -errno.EBUSY ? unmount(mountpoint, { lazy: true }) : status;
}
