// Mounting through /dev/fuse with mount(2): as root, or inside a user namespace that has CAP_SYS_ADMIN.

import { SysError, VeneerError, errno, toByteString } from '../core/index.js';
import { AT_FDCWD, MNT_DETACH, O_NONBLOCK, O_RDWR, Stat, mount, openat, statxFollow, umount2 } from '../sys/index.js';

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

/** Opens the FUSE device, non-blocking. Throws `unavailable` where there is none. */
export function openDevice(): number {
  const fd = openat(AT_FDCWD, '/dev/fuse', O_RDWR | O_NONBLOCK);
  if (fd >= 0) return fd;
  const cause = new SysError(-fd, 'open', '/dev/fuse');
  throw new VeneerError('unavailable', `cannot open /dev/fuse: ${cause.message}`, {
    hint: fd === -errno.EACCES ? 'run as root' : 'load the fuse module (modprobe fuse)',
    cause,
  });
}

/** Mounts the device at a directory. Throws VeneerError; on failure nothing stays mounted. */
export function mountDevice(device: number, options: MountOptions): void {
  const stat = new Stat();
  const target = toByteString(options.mountpoint);
  const status = statxFollow(AT_FDCWD, target, stat);
  if (status < 0) throw mountError(options.mountpoint, -status);
  const data = [
    `fd=${String(device)}`,
    `rootmode=${stat.type.toString(8)}`,
    `user_id=${String(process.geteuid?.() ?? 0)}`,
    `group_id=${String(process.getegid?.() ?? 0)}`,
    'default_permissions',
    ...(options.allowOther ? ['allow_other'] : []),
  ].join(',');
  const mounted = mount({
    source: toByteString(options.source),
    target,
    type: `fuse.${options.subtype}`,
    flags: options.flags,
    data,
  });
  if (mounted < 0) throw mountError(options.mountpoint, -mounted);
}

function mountError(mountpoint: string, error: number): VeneerError {
  const cause = new SysError(error, 'mount', mountpoint);
  const hint = error === errno.EPERM ? 'mounting needs root, or a user namespace (unshare -Urm)' : undefined;
  return new VeneerError(
    error === errno.EPERM ? 'permission' : 'invalid',
    `cannot mount on '${mountpoint}': ${cause.message}`,
    {
      cause,
      ...(hint === undefined ? {} : { hint }),
    },
  );
}

/** Un-mounts; a busy mount is detached and ends with its last user. Returns 0 or -errno. */
export function unmount(mountpoint: string): number {
  const target = toByteString(mountpoint);
  const status = umount2(target);
  return status === -errno.EBUSY ? umount2(target, MNT_DETACH) : status;
}
