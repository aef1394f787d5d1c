export { Attr, Entry } from './attr.js';
export { Opened } from './filesystem.js';
export type {
  AttrChange,
  Caller,
  CopyRange,
  CreateOptions,
  DirectorySink,
  Filesystem,
  Kernel,
  Outcome,
  RenameOptions,
} from './filesystem.js';
export { endMount, mountFuse, unmount } from './mount.js';
export type { MountOptions } from './mount.js';
export { Session } from './session.js';
export type { SessionOptions } from './session.js';
export { Statistics, bucketLimit } from './statistics.js';
export type { OperationCounts, StatisticsSnapshot } from './statistics.js';
export { FOPEN_CACHE_DIR, FOPEN_DIRECT_IO, FOPEN_KEEP_CACHE, FOPEN_PASSTHROUGH, FUSE_ROOT_ID } from './wire/abi.js';
export { FLAGS_LENGTH } from './wire/flag-ioctl.js';
export type { FlagsForm } from './wire/flag-ioctl.js';
export type { Validity } from './wire/reply.js';
