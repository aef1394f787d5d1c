// The ioctls for chattr's flags (fs/fuse/ioctl.c). Other ioctls come as well, and are none of ours.

import {
  FSXATTR_SIZE,
  FS_IOC_FSGETXATTR,
  FS_IOC_FSSETXATTR,
  FS_IOC_GETFLAGS,
  FS_IOC_SETFLAGS,
} from '../../sys/index.js';
import { BODY_SIZE } from './abi.js';
import type { Request } from './request.js';

/** In which of the kernel's two forms flags are told and set: an int of FS_*_FL, or a struct fsxattr. */
export type FlagsForm = 'flags' | 'fsxattr';

export interface FlagIoctl {
  readonly form: FlagsForm;
  readonly sets: boolean;
}

const CALLS: ReadonlyMap<number, FlagIoctl> = new Map([
  [FS_IOC_GETFLAGS, { form: 'flags', sets: false }],
  [FS_IOC_SETFLAGS, { form: 'flags', sets: true }],
  [FS_IOC_FSGETXATTR, { form: 'fsxattr', sets: false }],
  [FS_IOC_FSSETXATTR, { form: 'fsxattr', sets: true }],
] as const);

/** Bytes of what a form moves. */
export const FLAGS_LENGTH = { flags: 4, fsxattr: FSXATTR_SIZE } as const;

/**
 * Reads struct fuse_ioctl_in. Undefined for what is not sent by the kernel in the name of whoever asked
 * (fuse_priv_ioctl, after vfs_fileattr_set has checked that he may), but by a program itself (fuse_do_ioctl), which
 * gives an address and was not checked. Undefined also for other ioctls.
 */
export function readFlagIoctl(request: Request): FlagIoctl | undefined {
  request.body(BODY_SIZE.ioctl);
  const call = CALLS.get(request.u32(12));
  const hasAddress = request.u32(16) !== 0 || request.u32(20) !== 0;
  if (call === undefined || hasAddress) return undefined;
  const size = request.u32(call.sets ? 24 : 28);
  return size === FLAGS_LENGTH[call.form] ? call : undefined;
}
