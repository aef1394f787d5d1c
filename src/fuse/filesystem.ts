// What a file system answers to the kernel: the low-level interface, by node and name, never by path.
// `fuse` drives it from the device; another transport may drive it as well.

import type { ByteString } from '../core/index.js';
import type { FileSystemStatus, Timestamp } from '../sys/index.js';
import type { Attr, Entry } from './attr.js';
import type { FlagsForm } from './wire/flag-ioctl.js';

/**
 * A value >= 0, or -errno; a promise of one for work that takes long, so that other requests go on meanwhile.
 * A handler that returns a promise keeps the out-objects it was given; one that returns a number must not.
 */
export type Outcome = number | Promise<number>;

/** Who asks. New files belong to it. */
export interface Caller {
  readonly uid: number;
  readonly gid: number;
}

export interface CreateOptions {
  /** File type and permission bits, before the umask. */
  readonly mode: number;
  /** Applies only where the parent has no default ACL. */
  readonly umask: number;
}

/** Which attributes to change; a field left out stays. With none at all it is a chown of -1 to -1. */
export interface AttrChange {
  /** Who asks; root where it is left out. */
  caller?: Caller;
  mode?: number;
  uid?: number;
  gid?: number;
  size?: number;
  /** `nsec` may be UTIME_NOW. */
  atime?: Timestamp;
  mtime?: Timestamp;
  /** The handle through which a size was changed. */
  fh?: number;
  /** Drop setuid, setgid and file capabilities, as for a write by somebody without CAP_FSETID. */
  killSuidgid?: boolean;
}

/** The answer to an open. */
export class Opened {
  fh = 0;
  /** FOPEN_*. */
  flags = 0;
  /** From `Kernel.openBacking`, with FOPEN_PASSTHROUGH; otherwise 0. */
  backingId = 0;
}

/** Takes the entries of a directory until the kernel's buffer is full. */
export interface DirectorySink {
  /** True for READDIRPLUS: fill `entry`, and each added one counts as a lookup. */
  readonly plus: boolean;
  readonly entry: Entry;
  /** Whether an entry with a name of that length still fits; ask before taking a reference. */
  fits(nameLength: number): boolean;
  /** Adds what `entry` holds (its ino is used even without `plus`); `next` resumes after it. */
  add(name: ByteString, type: number, next: number): void;
}

/** What the kernel side offers a file system. */
export interface Kernel {
  /** Whether FOPEN_PASSTHROUGH may be used. */
  readonly passthrough: boolean;
  /** Registers an open file as a backing file; an id > 0 or -errno. The fd may be closed afterwards. */
  openBacking(fd: number): number;
  closeBacking(id: number): void;
  /** Makes the kernel ask for a node's attributes again: for changes that no reply tells it of. */
  invalidateAttributes(nodeid: number): void;
}

export interface CopyRange {
  readonly fhIn: number;
  readonly offsetIn: number;
  readonly fhOut: number;
  readonly offsetOut: number;
  readonly length: number;
}

export interface RenameOptions {
  readonly parent: number;
  readonly name: ByteString;
  readonly newParent: number;
  readonly newName: ByteString;
  /** RENAME_*. */
  readonly flags: number;
}

/** Each method returns as `Outcome` says; names are single components, never `.` or `..`. */
export interface Filesystem {
  /** Called once, before any other. */
  init(kernel: Kernel): void;
  /** Fills `entry` and takes a reference on its node; with nodeid 0 the absence is cached. */
  lookup(parent: number, name: ByteString, entry: Entry): Outcome;
  forget(nodeid: number, nlookup: number): void;
  getattr(nodeid: number, fh: number | undefined, attr: Attr): Outcome;
  setattr(nodeid: number, change: AttrChange, attr: Attr): Outcome;
  readlink(nodeid: number): ByteString | number;
  symlink(parent: number, name: ByteString, options: { caller: Caller; target: ByteString }, entry: Entry): Outcome;
  mknod(
    parent: number,
    name: ByteString,
    options: CreateOptions & { caller: Caller; rdev: number },
    entry: Entry,
  ): Outcome;
  mkdir(parent: number, name: ByteString, options: CreateOptions & { caller: Caller }, entry: Entry): Outcome;
  unlink(parent: number, name: ByteString): Outcome;
  rmdir(parent: number, name: ByteString): Outcome;
  rename(options: RenameOptions): Outcome;
  link(nodeid: number, newParent: number, newName: ByteString, entry: Entry): Outcome;
  open(nodeid: number, options: { caller: Caller; flags: number; killSuidgid: boolean }, opened: Opened): Outcome;
  create(
    parent: number,
    name: ByteString,
    options: CreateOptions & { caller: Caller; flags: number },
    out: { entry: Entry; opened: Opened },
  ): Outcome;
  tmpfile(
    parent: number,
    options: CreateOptions & { caller: Caller; flags: number },
    out: { entry: Entry; opened: Opened },
  ): Outcome;
  /** Bytes read into `into`, which is valid only until the method returns. */
  read(fh: number, offset: number, into: Buffer): number;
  /** As `read`, of a file that was not opened: what the kernel asks for when the session refuses to be told of opens. */
  readNode(nodeid: number, offset: number, into: Buffer): number;
  /** Bytes written of `data`, which is valid only until the method returns. */
  write(fh: number, options: { offset: number; killSuidgid: boolean }, data: Buffer): Outcome;
  release(nodeid: number, fh: number): void;
  fsync(fh: number, datasync: boolean): Outcome;
  fsyncdir(nodeid: number, datasync: boolean): Outcome;
  statfs(nodeid: number): FileSystemStatus | number;
  setxattr(nodeid: number, name: ByteString, value: Buffer, options: { flags: number; killSgid: boolean }): Outcome;
  getxattr(nodeid: number, name: ByteString): Buffer | number;
  /** Names in `trusted.` are for root alone, as on other file systems. */
  listxattr(nodeid: number, caller: Caller): readonly ByteString[] | number;
  removexattr(nodeid: number, name: ByteString): Outcome;
  /** The flags of a file or directory that chattr(1) sets: FLAGS_LENGTH bytes. */
  getFlags(nodeid: number, form: FlagsForm): Buffer | number;
  /** Whether the caller may is checked already. `value` is valid only until the method returns. */
  setFlags(nodeid: number, form: FlagsForm, value: Buffer): Outcome;
  /** `sink` is valid only until the method returns. */
  readdir(nodeid: number, offset: number, sink: DirectorySink): number;
  fallocate(fh: number, options: { mode: number; offset: number; length: number }, caller: Caller): Outcome;
  /** The offset found. */
  lseek(fh: number, offset: number, whence: number): Outcome;
  /** As `lseek`, of a file that was not opened. */
  lseekNode(nodeid: number, offset: number, whence: number): Outcome;
  copyFileRange(range: CopyRange, caller: Caller): Outcome;
  /** The file system is un-mounted; nothing is called after this. */
  destroy(): void;
}
