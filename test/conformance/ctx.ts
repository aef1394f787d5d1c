// The language of the checks: one method per system call, each with the errno it must answer.
//   ctx.rename('a', 'b', { err: 'ENOTEMPTY' })

import { displayBytes } from '../../src/core/index.js';
import type { ByteString } from '../../src/core/index.js';
import {
  AT_FDCWD,
  AT_REMOVEDIR,
  O_APPEND,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_RDONLY,
  O_TRUNC,
  O_WRONLY,
  Stat,
  close,
  fchmodat,
  fchownat,
  fstatfs,
  getxattr,
  linkFd,
  linkat,
  listxattr,
  mkdirat,
  mknodat,
  openat,
  readlinkat,
  removexattr,
  renameat2,
  setxattr,
  statx,
  statxFollow,
  symlinkat,
  umask,
  unlinkat,
  utimensat,
} from '../../src/sys/index.js';
import type { FileSystemStatus, Timestamp } from '../../src/sys/index.js';
import type { BackendKind } from '../helpers/backends.js';
import { access, chown, runAs, truncate } from '../helpers/native.js';
import type { User } from '../helpers/native.js';
import { Handle, expectEqual, expectResult, statFields } from './handle.js';
import type { Expected, StatFields } from './handle.js';

export class Ctx {
  readonly kind: BackendKind;
  /** The check's own directory in the mount; all paths are relative to it. */
  readonly root: ByteString;
  readonly #user: User | undefined;
  readonly #handles: Handle[];

  constructor(kind: BackendKind, root: ByteString, user?: User, handles: Handle[] = []) {
    this.kind = kind;
    this.root = root;
    this.#user = user;
    this.#handles = handles;
  }

  /** The same directory for another user; handles opened through it keep their identity. */
  as(user: User): Ctx {
    return new Ctx(this.kind, this.root, user, this.#handles);
  }

  closeAll(): void {
    for (const handle of this.#handles) handle.discard();
  }

  readonly #run = <T>(call: () => T): T => (this.#user === undefined ? call() : runAs(this.#user, call));

  #expect<T extends number | object | string>(what: string, run: () => T, expected?: Expected): T {
    const who = this.#user === undefined ? '' : ` as ${String(this.#user.uid)}`;
    return expectResult(`${displayBytes(what)}${who}`, this.#run(run), expected);
  }

  path(name: ByteString): ByteString {
    return name === '' ? this.root : `${this.root}/${name}`;
  }

  /** Runs with another umask. */
  umask(mask: number, run: () => void): void {
    const before = umask(mask);
    try {
      run();
    } finally {
      umask(before);
    }
  }

  // Opening, and whole files

  open(path: ByteString, flags: number, options: Expected & { mode?: number } = {}): Handle {
    const fd = this.#run(() => openat(AT_FDCWD, this.path(path), flags, options.mode ?? 0o644));
    const handle = new Handle(fd, path, this.#run);
    // Before it is judged: one that should have failed must be closed, too.
    if (fd >= 0) this.#handles.push(handle);
    this.#expect(`open ${path}`, () => fd, options);
    return handle;
  }

  opendir(path: ByteString, expected?: Expected): Handle {
    return this.open(path, O_RDONLY | O_DIRECTORY, expected);
  }

  /** Opens and closes. */
  touch(path: ByteString, flags: number, options: Expected & { mode?: number } = {}): void {
    this.open(path, flags, options).close();
  }

  create(path: ByteString, content = '', options: Expected & { mode?: number } = {}): void {
    const handle = this.open(path, O_WRONLY | O_CREAT | O_EXCL, options);
    if (options.err === undefined && content !== '') handle.write(content);
    handle.close();
  }

  /** Replaces the content of an existing file. */
  write(path: ByteString, content: string, expected: Expected = {}): void {
    const handle = this.open(path, O_WRONLY | O_TRUNC, expected);
    if (expected.err === undefined) handle.write(content);
    handle.close();
  }

  append(path: ByteString, content: string, expected: Expected = {}): void {
    const handle = this.open(path, O_WRONLY | O_APPEND, expected);
    if (expected.err === undefined) handle.write(content);
    handle.close();
  }

  read(path: ByteString, expected: Expected = {}): string {
    const handle = this.open(path, O_RDONLY, expected);
    if (expected.err !== undefined) return '';
    const content = handle.content();
    handle.close();
    return content;
  }

  expectContent(path: ByteString, content: string): void {
    expectEqual(`content of ${displayBytes(path)}`, this.read(path), content);
  }

  // Names

  mkdir(path: ByteString, options: Expected & { mode?: number } = {}): void {
    this.#expect(`mkdir ${path}`, () => mkdirat(AT_FDCWD, this.path(path), options.mode ?? 0o755), options);
  }

  mknod(path: ByteString, mode: number, options: Expected & { rdev?: number } = {}): void {
    this.#expect(`mknod ${path}`, () => mknodat(AT_FDCWD, this.path(path), mode, options.rdev ?? 0), options);
  }

  /** The target is stored as it is, not resolved. */
  symlink(target: ByteString, path: ByteString, expected?: Expected): void {
    this.#expect(`symlink ${path}`, () => symlinkat(target, AT_FDCWD, this.path(path)), expected);
  }

  readlink(path: ByteString, expected?: Expected): ByteString {
    return String(this.#expect(`readlink ${path}`, () => readlinkat(AT_FDCWD, this.path(path)), expected));
  }

  link(from: ByteString, to: ByteString, expected?: Expected): void {
    const places = [from, to].map((name) => ({ dirfd: AT_FDCWD, name: this.path(name) }));
    this.#expect(`link ${from} ${to}`, () => linkat(places[0]!, places[1]!), expected);
  }

  /** Gives an open file a name. */
  linkHandle(handle: Handle, to: ByteString, expected?: Expected): void {
    this.#expect(`linkat ${to}`, () => linkFd(handle.fd, { dirfd: AT_FDCWD, name: this.path(to) }), expected);
  }

  unlink(path: ByteString, expected?: Expected): void {
    this.#expect(`unlink ${path}`, () => unlinkat(AT_FDCWD, this.path(path)), expected);
  }

  rmdir(path: ByteString, expected?: Expected): void {
    this.#expect(`rmdir ${path}`, () => unlinkat(AT_FDCWD, this.path(path), AT_REMOVEDIR), expected);
  }

  rename(from: ByteString, to: ByteString, options: Expected & { flags?: number } = {}): void {
    const places = [from, to].map((name) => ({ dirfd: AT_FDCWD, name: this.path(name) }));
    this.#expect(`rename ${from} ${to}`, () => renameat2(places[0]!, places[1]!, options.flags ?? 0), options);
  }

  /** rm -r: everything below a directory and itself. */
  removeTree(path: ByteString): void {
    for (const name of this.list(path)) {
      const below = `${path}/${name}`;
      if ((this.stat(below).type & 0o170000) === 0o040000) this.removeTree(below);
      else this.unlink(below);
    }
    this.rmdir(path);
  }

  // Attributes

  /** Of a symlink itself. */
  stat(path: ByteString, expected?: Expected): StatFields {
    const stat = new Stat();
    this.#expect(`stat ${path}`, () => statx(AT_FDCWD, this.path(path), stat), expected);
    return statFields(stat);
  }

  statFollow(path: ByteString, expected?: Expected): StatFields {
    const stat = new Stat();
    this.#expect(`stat ${path}`, () => statxFollow(AT_FDCWD, this.path(path), stat), expected);
    return statFields(stat);
  }

  expectStat(path: ByteString, fields: Partial<StatFields>): void {
    const stat = this.stat(path);
    for (const [key, value] of Object.entries(fields)) {
      const [actual, wanted] =
        key === 'mode'
          ? [stat.mode.toString(8), (value as number).toString(8)]
          : [stat[key as keyof StatFields], value];
      expectEqual(`${key} of ${displayBytes(path)}`, actual, wanted);
    }
  }

  expectMissing(path: ByteString): void {
    this.stat(path, { err: 'ENOENT' });
  }

  chmod(path: ByteString, mode: number, expected?: Expected): void {
    this.#expect(`chmod ${path}`, () => fchmodat(AT_FDCWD, this.path(path), mode), expected);
  }

  /** Of a symlink itself; -1 keeps a value. */
  lchown(path: ByteString, uid: number, gid: number, expected?: Expected): void {
    this.#expect(`lchown ${path}`, () => fchownat(AT_FDCWD, this.path(path), { uid, gid }), expected);
  }

  chown(path: ByteString, uid: number, gid: number, expected?: Expected): void {
    this.#expect(`chown ${path}`, () => chown(this.path(path), { uid, gid }), expected);
  }

  utimens(path: ByteString, times: { atime: Timestamp; mtime: Timestamp }, expected?: Expected): void {
    this.#expect(`utimensat ${path}`, () => utimensat(AT_FDCWD, this.path(path), times), expected);
  }

  truncate(path: ByteString, size: number, expected?: Expected): void {
    this.#expect(`truncate ${path}`, () => truncate(this.path(path), size), expected);
  }

  access(path: ByteString, mode: number, expected?: Expected): void {
    this.#expect(`access ${path}`, () => access(this.path(path), mode), expected);
  }

  statfs(path: ByteString): FileSystemStatus {
    const fd = this.#expect(`open ${path}`, () => openat(AT_FDCWD, this.path(path), O_RDONLY));
    try {
      return this.#expect(`statfs ${path}`, () => fstatfs(fd)) as FileSystemStatus;
    } finally {
      close(fd);
    }
  }

  // Extended attributes, of a symlink itself

  setxattr(
    path: ByteString,
    name: string,
    value: string | Uint8Array,
    options: Expected & { flags?: number } = {},
  ): void {
    const bytes = Buffer.from(value);
    this.#expect(`setxattr ${path} ${name}`, () => setxattr(this.path(path), name, bytes, options.flags ?? 0), options);
  }

  getxattr(path: ByteString, name: string, expected?: Expected): Buffer {
    const value = this.#expect(`getxattr ${path} ${name}`, () => getxattr(this.path(path), name), expected);
    return typeof value === 'number' ? Buffer.alloc(0) : value;
  }

  expectXattr(path: ByteString, name: string, value: string): void {
    expectEqual(`${name} of ${path}`, this.getxattr(path, name).toString('latin1'), value);
  }

  removexattr(path: ByteString, name: string, expected?: Expected): void {
    this.#expect(`removexattr ${path} ${name}`, () => removexattr(this.path(path), name), expected);
  }

  expectXattrNames(path: ByteString, names: readonly string[]): void {
    const got = this.#expect(`listxattr ${path}`, () => listxattr(this.path(path))) as string[];
    expectEqual(`xattrs of ${path}`, got.sort().join(' '), [...names].sort().join(' '));
  }

  // Directories

  /** Names in byte order; a name that comes twice fails the check. */
  list(path: ByteString, expected?: Expected): ByteString[] {
    const handle = this.opendir(path, expected);
    if (expected?.err !== undefined) return [];
    const names = handle.names().sort();
    handle.close();
    const twice = names.find((name, index) => name === names[index + 1]);
    expectEqual(`name listed twice in ${displayBytes(path)}`, twice, undefined);
    return names;
  }

  expectList(path: ByteString, names: readonly ByteString[]): void {
    const shown = (list: readonly ByteString[]): string => list.map(displayBytes).join(' ');
    expectEqual(`entries of ${displayBytes(path)}`, shown(this.list(path)), shown([...names].sort()));
  }
}
