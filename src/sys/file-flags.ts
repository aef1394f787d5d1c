// The flags that chattr(1) shows and sets (ioctl_iflags(2), linux/fs.h): immutable, append-only, noatime and others.

import { ioctl } from './file.js';

export const FS_SYNC_FL = 0x8;
export const FS_IMMUTABLE_FL = 0x10;
export const FS_APPEND_FL = 0x20;
export const FS_NOATIME_FL = 0x80;
/** Of a directory on ext4: those made in it have nothing to do with each other. */
export const FS_TOPDIR_FL = 0x20000;

/** The same flags in `fsx_xflags` of struct fsxattr. */
export const FS_XFLAG_IMMUTABLE = 0x8;
export const FS_XFLAG_APPEND = 0x10;

/** Numbers as on 64-bit machines; what they move is an int, whatever size they declare. */
export const FS_IOC_GETFLAGS = 0x80086601;
export const FS_IOC_SETFLAGS = 0x40086602;
export const FS_IOC_FSGETXATTR = 0x801c581f;
export const FS_IOC_FSSETXATTR = 0x401c5820;

/** sizeof(struct fsxattr); `fsx_xflags` is its first word. */
export const FSXATTR_SIZE = 28;

const flagsArgument = Buffer.alloc(8);

/** The flags of an open file, or -errno: ENOTTY where the file system has none, EBADF of an O_PATH file. */
export function getFlags(fd: number): number {
  const status = ioctl(fd, FS_IOC_GETFLAGS, flagsArgument);
  return status < 0 ? status : flagsArgument.readUInt32LE();
}

export function setFlags(fd: number, flags: number): number {
  flagsArgument.writeUInt32LE(flags >>> 0);
  return ioctl(fd, FS_IOC_SETFLAGS, flagsArgument);
}

/** Fills the FSXATTR_SIZE bytes of a struct fsxattr. Returns 0 or -errno. */
export function getFsxattr(fd: number, into: Uint8Array): number {
  return ioctl(fd, FS_IOC_FSGETXATTR, into);
}

export function setFsxattr(fd: number, from: Uint8Array): number {
  return ioctl(fd, FS_IOC_FSSETXATTR, from);
}
