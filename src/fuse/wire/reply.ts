// Replies, written into a buffer of the caller's. Pure. Each function returns the length of what it wrote
// at `at`; `writeHeader` comes last, when the whole length is known.

import type { FileSystemStatus } from '../../sys/index.js';
import type { Attr, Entry } from '../attr.js';
import { ATTR, ATTR_OUT, DIRENT, ENTRY_OUT, IOCTL_OUT, OPEN_OUT, OUT_HEADER, STATFS_OUT, STATX_OUT } from './abi.js';
import { FUSE_NOTIFY_INVAL_INODE, NOTIFY_INVAL_INODE } from './abi.js';

const HIGH = 0x100000000;

/** Seconds and nanoseconds for which the kernel may trust an entry or attributes. */
export interface Validity {
  readonly sec: number;
  readonly nsec: number;
}

function wide(buffer: Buffer, value: number, at: number): void {
  buffer.writeUInt32LE(value >>> 0, at);
  buffer.writeInt32LE(Math.floor(value / HIGH), at + 4);
}

/** struct fuse_out_header; `error` is 0 or -errno. */
export function writeHeader(
  buffer: Buffer,
  header: { length: number; error: number; uniqueLow: number; uniqueHigh: number },
): void {
  buffer.writeUInt32LE(header.length, OUT_HEADER.len);
  buffer.writeInt32LE(header.error, OUT_HEADER.error);
  buffer.writeUInt32LE(header.uniqueLow, OUT_HEADER.unique);
  buffer.writeUInt32LE(header.uniqueHigh, OUT_HEADER.unique + 4);
}

/** struct fuse_attr. */
export function writeAttr(buffer: Buffer, at: number, attr: Attr): void {
  buffer.writeUInt32LE(attr.inoLow, at + ATTR.ino);
  buffer.writeUInt32LE(attr.inoHigh, at + ATTR.ino + 4);
  wide(buffer, attr.size, at + ATTR.fileSize);
  wide(buffer, attr.blocks, at + ATTR.blocks);
  wide(buffer, attr.atimeSec, at + ATTR.atime);
  wide(buffer, attr.mtimeSec, at + ATTR.mtime);
  wide(buffer, attr.ctimeSec, at + ATTR.ctime);
  buffer.writeUInt32LE(attr.atimeNsec, at + ATTR.atimensec);
  buffer.writeUInt32LE(attr.mtimeNsec, at + ATTR.mtimensec);
  buffer.writeUInt32LE(attr.ctimeNsec, at + ATTR.ctimensec);
  buffer.writeUInt32LE(attr.mode, at + ATTR.mode);
  buffer.writeUInt32LE(attr.nlink, at + ATTR.nlink);
  buffer.writeUInt32LE(attr.uid, at + ATTR.uid);
  buffer.writeUInt32LE(attr.gid, at + ATTR.gid);
  buffer.writeUInt32LE(attr.rdev, at + ATTR.rdev);
  buffer.writeUInt32LE(attr.blksize, at + ATTR.blksize);
  buffer.writeUInt32LE(0, at + ATTR.flags);
}

const NEVER: Validity = { sec: 0, nsec: 0 };

function validityOf(attr: Attr, valid: Validity): Validity {
  return attr.uncached ? NEVER : valid;
}

/** struct fuse_entry_out. Generation is always 0: node ids are never reused. */
export function writeEntry(buffer: Buffer, at: number, entry: Entry, valid: Validity): number {
  wide(buffer, entry.nodeid, at + ENTRY_OUT.nodeid);
  wide(buffer, 0, at + ENTRY_OUT.generation);
  wide(buffer, valid.sec, at + ENTRY_OUT.entryValid);
  const attrValid = validityOf(entry.attr, valid);
  wide(buffer, attrValid.sec, at + ENTRY_OUT.attrValid);
  buffer.writeUInt32LE(valid.nsec, at + ENTRY_OUT.entryValidNsec);
  buffer.writeUInt32LE(attrValid.nsec, at + ENTRY_OUT.attrValidNsec);
  if (entry.nodeid === 0) buffer.fill(0, at + ENTRY_OUT.attr, at + ENTRY_OUT.size);
  else writeAttr(buffer, at + ENTRY_OUT.attr, entry.attr);
  return ENTRY_OUT.size;
}

/** struct fuse_attr_out. */
export function writeAttrOut(buffer: Buffer, at: number, attr: Attr, validity: Validity): number {
  const valid = validityOf(attr, validity);
  wide(buffer, valid.sec, at + ATTR_OUT.attrValid);
  buffer.writeUInt32LE(valid.nsec, at + ATTR_OUT.attrValidNsec);
  buffer.writeUInt32LE(0, at + ATTR_OUT.attrValidNsec + 4);
  writeAttr(buffer, at + ATTR_OUT.attr, attr);
  return ATTR_OUT.size;
}

/** STATX_BASIC_STATS | STATX_BTIME. */
const STATX_MASK = 0xfff;

/** struct fuse_statx_out. */
export function writeStatxOut(buffer: Buffer, at: number, attr: Attr, validity: Validity): number {
  const valid = validityOf(attr, validity);
  buffer.fill(0, at, at + STATX_OUT.size);
  wide(buffer, valid.sec, at + STATX_OUT.attrValid);
  buffer.writeUInt32LE(valid.nsec, at + STATX_OUT.attrValidNsec);
  const stat = at + STATX_OUT.stat;
  buffer.writeUInt32LE(STATX_MASK, stat);
  buffer.writeUInt32LE(attr.blksize, stat + 4);
  buffer.writeUInt32LE(attr.nlink, stat + 16);
  buffer.writeUInt32LE(attr.uid, stat + 20);
  buffer.writeUInt32LE(attr.gid, stat + 24);
  buffer.writeUInt16LE(attr.mode, stat + 28);
  buffer.writeUInt32LE(attr.inoLow, stat + 32);
  buffer.writeUInt32LE(attr.inoHigh, stat + 36);
  wide(buffer, attr.size, stat + 40);
  wide(buffer, attr.blocks, stat + 48);
  wide(buffer, attr.atimeSec, stat + 64);
  buffer.writeUInt32LE(attr.atimeNsec, stat + 72);
  wide(buffer, attr.btimeSec, stat + 80);
  buffer.writeUInt32LE(attr.btimeNsec, stat + 88);
  wide(buffer, attr.ctimeSec, stat + 96);
  buffer.writeUInt32LE(attr.ctimeNsec, stat + 104);
  wide(buffer, attr.mtimeSec, stat + 112);
  buffer.writeUInt32LE(attr.mtimeNsec, stat + 120);
  buffer.writeUInt32LE((attr.rdev >>> 8) & 0xfff, stat + 128);
  buffer.writeUInt32LE((attr.rdev & 0xff) | ((attr.rdev >>> 12) & 0xfff00), stat + 132);
  return STATX_OUT.size;
}

/** struct fuse_open_out. */
export function writeOpenOut(
  buffer: Buffer,
  at: number,
  open: { fh: number; flags: number; backingId: number },
): number {
  wide(buffer, open.fh, at + OPEN_OUT.fh);
  buffer.writeUInt32LE(open.flags, at + OPEN_OUT.openFlags);
  buffer.writeInt32LE(open.backingId, at + OPEN_OUT.backingId);
  return OPEN_OUT.size;
}

/** struct fuse_ioctl_out of an ioctl that succeeded, and what it gives back. */
export function writeIoctlOut(buffer: Buffer, at: number, value: Buffer): number {
  buffer.fill(0, at, at + IOCTL_OUT.size);
  return IOCTL_OUT.size + value.copy(buffer, at + IOCTL_OUT.size);
}

/** struct fuse_statfs_out. */
export function writeStatfs(buffer: Buffer, at: number, status: FileSystemStatus): number {
  buffer.fill(0, at, at + STATFS_OUT.size);
  wide(buffer, status.blocks, at + STATFS_OUT.blocks);
  wide(buffer, status.bfree, at + STATFS_OUT.bfree);
  wide(buffer, status.bavail, at + STATFS_OUT.bavail);
  wide(buffer, status.files, at + STATFS_OUT.files);
  wide(buffer, status.ffree, at + STATFS_OUT.ffree);
  buffer.writeUInt32LE(status.bsize, at + STATFS_OUT.bsize);
  buffer.writeUInt32LE(status.namelen, at + STATFS_OUT.namelen);
  buffer.writeUInt32LE(status.frsize, at + STATFS_OUT.frsize);
  return STATFS_OUT.size;
}

/** A whole FUSE_NOTIFY_INVAL_INODE that leaves cached data alone: a negative offset means attributes only. */
export function writeInvalidateAttributes(buffer: Buffer, nodeid: number): number {
  const length = OUT_HEADER.size + NOTIFY_INVAL_INODE.size;
  writeHeader(buffer, { length, error: FUSE_NOTIFY_INVAL_INODE, uniqueLow: 0, uniqueHigh: 0 });
  wide(buffer, nodeid, OUT_HEADER.size + NOTIFY_INVAL_INODE.ino);
  wide(buffer, -1, OUT_HEADER.size + NOTIFY_INVAL_INODE.off);
  wide(buffer, 0, OUT_HEADER.size + NOTIFY_INVAL_INODE.len);
  return length;
}

/** A 64-bit value alone (fuse_lseek_out). */
export function writeWide(buffer: Buffer, at: number, value: number): number {
  wide(buffer, value, at);
  return 8;
}

/** A 32-bit value and padding (fuse_write_out, fuse_getxattr_out). */
export function writeSize(buffer: Buffer, at: number, value: number): number {
  buffer.writeUInt32LE(value, at);
  buffer.writeUInt32LE(0, at + 4);
  return 8;
}

/** The length of a directory entry with its padding (FUSE_DIRENT_ALIGN). */
export function direntLength(nameLength: number): number {
  return (DIRENT.size + nameLength + 7) & ~7;
}

export interface Dirent {
  readonly name: string;
  readonly inoLow: number;
  readonly inoHigh: number;
  /** DT_*. */
  readonly type: number;
  /** The cookie that resumes after this entry. */
  readonly next: number;
}

/** struct fuse_dirent. The caller has checked that it fits. */
export function writeDirent(buffer: Buffer, at: number, dirent: Dirent): number {
  const length = direntLength(dirent.name.length);
  buffer.writeUInt32LE(dirent.inoLow, at + DIRENT.ino);
  buffer.writeUInt32LE(dirent.inoHigh, at + DIRENT.ino + 4);
  wide(buffer, dirent.next, at + DIRENT.off);
  buffer.writeUInt32LE(dirent.name.length, at + DIRENT.namelen);
  buffer.writeUInt32LE(dirent.type, at + DIRENT.type);
  const end = at + DIRENT.size + buffer.write(dirent.name, at + DIRENT.size, 'latin1');
  buffer.fill(0, end, at + length);
  return length;
}
