// A Filesystem that writes down how it was called and answers what it is told to: the other side of the dispatcher.

import type {
  Attr,
  AttrChange,
  Caller,
  CopyRange,
  DirectorySink,
  Entry,
  Filesystem,
  FlagsForm,
  Kernel,
  Opened,
  Outcome,
  RenameOptions,
} from '../../../src/fuse/index.js';
import type { FileSystemStatus } from '../../../src/sys/index.js';

/** What a handler is given to fill. */
export interface Out {
  readonly entry?: Entry;
  readonly attr?: Attr;
  readonly opened?: Opened;
  readonly into?: Buffer;
  readonly sink?: DirectorySink;
}

/** The method called and its arguments, without what it is to fill. */
export type Call = readonly [method: keyof Filesystem, ...args: unknown[]];

export class RecordingFilesystem implements Filesystem {
  readonly calls: Call[] = [];
  /** Decides each outcome; may fill what it is given, throw, or return a promise. */
  answer: (out: Out, call: Call) => Outcome = () => 0;
  /** What the methods with another kind of answer give. */
  value: string | Buffer | readonly string[] | FileSystemStatus | number = 0;

  #call(out: Out, ...call: Call): Outcome {
    // Views on the request's buffer are copied; the next request overwrites them.
    this.calls.push(call.map((arg) => (Buffer.isBuffer(arg) ? Buffer.from(arg) : arg)) as unknown as Call);
    return this.answer(out, call);
  }
  #ask(...call: Call): never {
    const outcome = this.#call({}, ...call);
    return (outcome === 0 ? this.value : outcome) as never;
  }

  /** Called by INIT. */
  onInit: (kernel: Kernel) => void = () => undefined;

  init(kernel: Kernel): void {
    this.onInit(kernel);
    void this.#call({}, 'init', kernel.passthrough);
  }
  lookup(parent: number, name: string, entry: Entry): Outcome {
    return this.#call({ entry }, 'lookup', parent, name);
  }
  forget(nodeid: number, nlookup: number): void {
    void this.#call({}, 'forget', nodeid, nlookup);
  }
  getattr(nodeid: number, fh: number | undefined, attr: Attr): Outcome {
    return this.#call({ attr }, 'getattr', nodeid, fh);
  }
  setattr(nodeid: number, change: AttrChange, attr: Attr): Outcome {
    return this.#call({ attr }, 'setattr', nodeid, change);
  }
  readlink(nodeid: number): string | number {
    return this.#ask('readlink', nodeid);
  }
  symlink(parent: number, name: string, options: unknown, entry: Entry): Outcome {
    return this.#call({ entry }, 'symlink', parent, name, options);
  }
  mknod(parent: number, name: string, options: unknown, entry: Entry): Outcome {
    return this.#call({ entry }, 'mknod', parent, name, options);
  }
  mkdir(parent: number, name: string, options: unknown, entry: Entry): Outcome {
    return this.#call({ entry }, 'mkdir', parent, name, options);
  }
  unlink(parent: number, name: string): Outcome {
    return this.#call({}, 'unlink', parent, name);
  }
  rmdir(parent: number, name: string): Outcome {
    return this.#call({}, 'rmdir', parent, name);
  }
  rename(options: RenameOptions): Outcome {
    return this.#call({}, 'rename', options);
  }
  link(nodeid: number, newParent: number, newName: string, entry: Entry): Outcome {
    return this.#call({ entry }, 'link', nodeid, newParent, newName);
  }
  open(nodeid: number, options: unknown, opened: Opened): Outcome {
    return this.#call({ opened }, 'open', nodeid, options);
  }
  create(parent: number, name: string, options: unknown, out: { entry: Entry; opened: Opened }): Outcome {
    return this.#call(out, 'create', parent, name, options);
  }
  tmpfile(parent: number, options: unknown, out: { entry: Entry; opened: Opened }): Outcome {
    return this.#call(out, 'tmpfile', parent, options);
  }
  read(fh: number, offset: number, into: Buffer): number {
    return this.#call({ into }, 'read', fh, offset, into.length) as number;
  }
  readNode(nodeid: number, offset: number, into: Buffer): number {
    return this.#call({ into }, 'readNode', nodeid, offset, into.length) as number;
  }
  write(fh: number, options: unknown, data: Buffer): Outcome {
    return this.#call({}, 'write', fh, options, data);
  }
  release(nodeid: number, fh: number): void {
    void this.#call({}, 'release', nodeid, fh);
  }
  fsync(fh: number, datasync: boolean): Outcome {
    return this.#call({}, 'fsync', fh, datasync);
  }
  fsyncdir(nodeid: number, datasync: boolean): Outcome {
    return this.#call({}, 'fsyncdir', nodeid, datasync);
  }
  statfs(nodeid: number): FileSystemStatus | number {
    return this.#ask('statfs', nodeid);
  }
  setxattr(nodeid: number, name: string, value: Buffer, options: unknown): Outcome {
    return this.#call({}, 'setxattr', nodeid, name, value, options);
  }
  getxattr(nodeid: number, name: string): Buffer | number {
    return this.#ask('getxattr', nodeid, name);
  }
  listxattr(nodeid: number, caller: Caller): readonly string[] | number {
    return this.#ask('listxattr', nodeid, { uid: caller.uid, gid: caller.gid });
  }
  removexattr(nodeid: number, name: string): Outcome {
    return this.#call({}, 'removexattr', nodeid, name);
  }
  getFlags(nodeid: number, form: FlagsForm): Buffer | number {
    return this.#ask('getFlags', nodeid, form);
  }
  setFlags(nodeid: number, form: FlagsForm, value: Buffer): Outcome {
    return this.#call({}, 'setFlags', nodeid, form, value);
  }
  readdir(nodeid: number, offset: number, sink: DirectorySink): number {
    return this.#call({ sink }, 'readdir', nodeid, offset, sink.plus) as number;
  }
  fallocate(fh: number, options: unknown, { uid, gid }: Caller): Outcome {
    return this.#call({}, 'fallocate', fh, options, { uid, gid });
  }
  lseek(fh: number, offset: number, whence: number): Outcome {
    return this.#call({}, 'lseek', fh, offset, whence);
  }
  lseekNode(nodeid: number, offset: number, whence: number): Outcome {
    return this.#call({}, 'lseekNode', nodeid, offset, whence);
  }
  copyFileRange(range: CopyRange, { uid, gid }: Caller): Outcome {
    return this.#call({}, 'copyFileRange', range, { uid, gid });
  }
  destroy(): void {
    void this.#call({}, 'destroy');
  }
}
