// The FUSE kernel ABI as data (include/uapi/linux/fuse.h, protocol 7.45): sizes and byte offsets of the
// structures we read and write, opcodes and flags. C names are kept. Little-endian machines only.

export const FUSE_KERNEL_VERSION = 7;
/** What we announce. 7.45 brings nothing after 7.40 (passthrough) that is needed; the kernel takes the lower one. */
export const FUSE_KERNEL_MINOR_VERSION = 41;
/** The oldest kernel we serve: 7.34 is Linux 5.14, the first with SETXATTR_EXT, which changes a request's size. */
export const FUSE_MIN_MINOR_VERSION = 34;

export const FUSE_ROOT_ID = 1;

export const opcode = {
  LOOKUP: 1,
  FORGET: 2,
  GETATTR: 3,
  SETATTR: 4,
  READLINK: 5,
  SYMLINK: 6,
  MKNOD: 8,
  MKDIR: 9,
  UNLINK: 10,
  RMDIR: 11,
  RENAME: 12,
  LINK: 13,
  OPEN: 14,
  READ: 15,
  WRITE: 16,
  STATFS: 17,
  RELEASE: 18,
  FSYNC: 20,
  SETXATTR: 21,
  GETXATTR: 22,
  LISTXATTR: 23,
  REMOVEXATTR: 24,
  FLUSH: 25,
  INIT: 26,
  OPENDIR: 27,
  READDIR: 28,
  RELEASEDIR: 29,
  FSYNCDIR: 30,
  GETLK: 31,
  SETLK: 32,
  SETLKW: 33,
  ACCESS: 34,
  CREATE: 35,
  INTERRUPT: 36,
  BMAP: 37,
  DESTROY: 38,
  IOCTL: 39,
  POLL: 40,
  NOTIFY_REPLY: 41,
  BATCH_FORGET: 42,
  FALLOCATE: 43,
  READDIRPLUS: 44,
  RENAME2: 45,
  LSEEK: 46,
  COPY_FILE_RANGE: 47,
  SYNCFS: 50,
  TMPFILE: 51,
  STATX: 52,
  COPY_FILE_RANGE_64: 53,
} as const;

const opcodeNames = new Map<number, string>(Object.entries(opcode).map(([name, value]) => [value, name]));

/** The name of an opcode for logs, `opcode N` for an unknown one. */
export function opcodeName(value: number): string {
  return opcodeNames.get(value) ?? `opcode ${String(value)}`;
}

/** struct fuse_in_header. */
export const IN_HEADER = {
  size: 40,
  len: 0,
  opcode: 4,
  unique: 8,
  nodeid: 16,
  uid: 24,
  gid: 28,
  pid: 32,
  extlen: 36,
} as const;
/** struct fuse_out_header. */
export const OUT_HEADER = { size: 16, len: 0, error: 4, unique: 8 } as const;

/** struct fuse_attr. */
export const ATTR = {
  size: 88,
  ino: 0,
  fileSize: 8,
  blocks: 16,
  atime: 24,
  mtime: 32,
  ctime: 40,
  atimensec: 48,
  mtimensec: 52,
  ctimensec: 56,
  mode: 60,
  nlink: 64,
  uid: 68,
  gid: 72,
  rdev: 76,
  blksize: 80,
  flags: 84,
} as const;

/** struct fuse_entry_out. */
export const ENTRY_OUT = {
  size: 128,
  nodeid: 0,
  generation: 8,
  entryValid: 16,
  attrValid: 24,
  entryValidNsec: 32,
  attrValidNsec: 36,
  attr: 40,
} as const;

/** struct fuse_attr_out. */
export const ATTR_OUT = { size: 104, attrValid: 0, attrValidNsec: 8, attr: 16 } as const;

/** struct fuse_statx_out; its `stat` has the layout of struct statx. */
export const STATX_OUT = { size: 288, attrValid: 0, attrValidNsec: 8, stat: 32 } as const;

/** struct fuse_open_out. */
export const OPEN_OUT = { size: 16, fh: 0, openFlags: 8, backingId: 12 } as const;

/** struct fuse_ioctl_out; what the ioctl gives back follows it. */
export const IOCTL_OUT = { size: 16, result: 0, flags: 4, inIovs: 8, outIovs: 12 } as const;

/** struct fuse_init_in, from 7.36 on; older kernels send the first 16 bytes. */
export const INIT_IN = { minimum: 16, major: 0, minor: 4, maxReadahead: 8, flags: 12, flags2: 16 } as const;
/** struct fuse_init_out. */
export const INIT_OUT = {
  size: 64,
  major: 0,
  minor: 4,
  maxReadahead: 8,
  flags: 12,
  maxBackground: 16,
  congestionThreshold: 18,
  maxWrite: 20,
  timeGran: 24,
  maxPages: 28,
  mapAlignment: 30,
  flags2: 32,
  maxStackDepth: 36,
} as const;

/** struct fuse_kstatfs. */
export const STATFS_OUT = {
  size: 80,
  blocks: 0,
  bfree: 8,
  bavail: 16,
  files: 24,
  ffree: 32,
  bsize: 40,
  namelen: 44,
  frsize: 48,
} as const;

/** struct fuse_dirent: the fixed part; the name follows, the whole is padded to 8 bytes. */
export const DIRENT = { size: 24, ino: 0, off: 8, namelen: 16, type: 20 } as const;

/** The fixed part of each request body, in bytes. */
export const BODY_SIZE = {
  forget: 8,
  batchForget: 8,
  forgetOne: 16,
  getattr: 16,
  setattr: 88,
  mknod: 16,
  mkdir: 8,
  rename: 8,
  rename2: 16,
  link: 8,
  open: 8,
  create: 16,
  release: 24,
  read: 40,
  write: 40,
  fsync: 16,
  setxattr: 16,
  getxattr: 8,
  flush: 24,
  fallocate: 32,
  lseek: 24,
  copyFileRange: 56,
  ioctl: 32,
  statx: 24,
  interrupt: 8,
} as const;

/** Bits of fuse_init_{in,out}.flags. */
export const initFlag = {
  ASYNC_READ: 1 << 0,
  ATOMIC_O_TRUNC: 1 << 3,
  EXPORT_SUPPORT: 1 << 4,
  BIG_WRITES: 1 << 5,
  DONT_MASK: 1 << 6,
  HAS_IOCTL_DIR: 1 << 11,
  DO_READDIRPLUS: 1 << 13,
  ASYNC_DIO: 1 << 15,
  WRITEBACK_CACHE: 1 << 16,
  NO_OPEN_SUPPORT: 1 << 17,
  PARALLEL_DIROPS: 1 << 18,
  POSIX_ACL: 1 << 20,
  MAX_PAGES: 1 << 22,
  CACHE_SYMLINKS: 1 << 23,
  NO_OPENDIR_SUPPORT: 1 << 24,
  EXPLICIT_INVAL_DATA: 1 << 25,
  HANDLE_KILLPRIV_V2: 1 << 28,
  SETXATTR_EXT: 1 << 29,
  INIT_EXT: 1 << 30,
} as const;

/** Bits of fuse_init_{in,out}.flags2, that is bits 32 and up of the whole. */
export const initFlag2 = {
  DIRECT_IO_ALLOW_MMAP: 1 << 4,
  PASSTHROUGH: 1 << 5,
  NO_EXPORT_SUPPORT: 1 << 6,
} as const;

/** fuse_open_out.open_flags. */
export const FOPEN_DIRECT_IO = 1 << 0;
export const FOPEN_KEEP_CACHE = 1 << 1;
export const FOPEN_CACHE_DIR = 1 << 3;
export const FOPEN_NOFLUSH = 1 << 5;
export const FOPEN_PASSTHROUGH = 1 << 7;

/** fuse_setattr_in.valid. */
export const FATTR_MODE = 1 << 0;
export const FATTR_UID = 1 << 1;
export const FATTR_GID = 1 << 2;
export const FATTR_SIZE = 1 << 3;
export const FATTR_ATIME = 1 << 4;
export const FATTR_MTIME = 1 << 5;
export const FATTR_FH = 1 << 6;
export const FATTR_ATIME_NOW = 1 << 7;
export const FATTR_MTIME_NOW = 1 << 8;
export const FATTR_KILL_SUIDGID = 1 << 11;

export const FUSE_GETATTR_FH = 1 << 0;
export const FUSE_OPEN_KILL_SUIDGID = 1 << 0;
export const FUSE_WRITE_KILL_SUIDGID = 1 << 2;
export const FUSE_FSYNC_FDATASYNC = 1 << 0;
export const FUSE_SETXATTR_ACL_KILL_SGID = 1 << 0;

/** `_IOW(229, 1, struct fuse_backing_map)`: registers a backing file, returns its id. */
export const FUSE_DEV_IOC_BACKING_OPEN = 0x4010e501;
/** `_IOW(229, 2, uint32_t)`. */
export const FUSE_DEV_IOC_BACKING_CLOSE = 0x4004e502;

/** struct fuse_out_header.error of an unsolicited message (enum fuse_notify_code); its unique is 0. */
export const FUSE_NOTIFY_INVAL_INODE = 2;
/** struct fuse_notify_inval_inode_out. */
export const NOTIFY_INVAL_INODE = { size: 24, ino: 0, off: 8, len: 16 } as const;
