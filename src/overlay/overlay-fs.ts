// The overlay as a Filesystem: each method finds the nodes and hands over to its family of operations.

import { errno } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import type {
  Attr,
  AttrChange,
  Caller,
  CopyRange,
  CreateOptions,
  DirectorySink,
  Entry,
  Filesystem,
  FlagsForm,
  Kernel,
  Opened,
  Outcome,
  RenameOptions,
} from '../fuse/index.js';
import {
  S_IFCHR,
  S_IFMT,
  S_IFREG,
  close,
  copyFileRange,
  copyFileRangeAside,
  fallocate,
  fallocateAside,
  fdatasyncAside,
  fstatfs,
  fsyncAside,
  lseek,
  pread,
  pwrite,
  readlinkat,
  syncfs,
} from '../sys/index.js';
import type { FileSystemStatus } from '../sys/index.js';
import { fillAttr, statNode } from './attr.js';
import { create, createOpen, createUnnamed } from './create.js';
import { getFlags, setFlags } from './file-flags.js';
import { link } from './link.js';
import { workLong } from './long-work.js';
import { openTop } from './handles.js';
import { lookupChild } from './lookup.js';
import { settleMapped } from './mapped.js';
import { latest } from './node.js';
import type { FileNode, Node } from './node.js';
import { openFile, releaseFile } from './open.js';
import { after, finallyDo } from './outcome.js';
import type { Overlay } from './overlay.js';
import { checkCopyTo, checkFallocate } from './protection.js';
import { readdir } from './readdir.js';
import { rmdir, unlink } from './remove.js';
import { rename } from './rename.js';
import { dropPrivileges, dropPrivilegesFor } from './privileges.js';
import { setattr } from './setattr.js';
import { getxattr, listxattr, removexattr, setxattr } from './xattr.js';

/** From this many bytes on, work on file data is left to another thread. */
const LONG = 4 << 20;

export class OverlayFs implements Filesystem {
  readonly #o: Overlay;

  constructor(overlay: Overlay) {
    this.#o = overlay;
  }

  /** The node whose attributes and names a number stands for now. */
  #node(id: number): Node {
    return latest(this.#o.nodes.get(id));
  }

  #file(id: number): FileNode | undefined {
    const node = this.#node(id);
    return node.kind === 'directory' ? undefined : node;
  }

  init(kernel: Kernel): void {
    this.#o.kernel = kernel;
  }

  lookup(parent: number, name: ByteString, entry: Entry): Outcome {
    const node = lookupChild(this.#o, this.#o.nodes.directory(parent), name);
    if (typeof node === 'number') return node;
    if (node === undefined) {
      entry.nodeid = 0;
      return 0;
    }
    entry.nodeid = node.id;
    node.nlookup += 1;
    fillAttr(node, this.#o.stat, entry.attr);
    return 0;
  }

  forget(nodeid: number, nlookup: number): void {
    this.#o.readers.forget(nodeid);
    this.#o.nodes.forget(nodeid, nlookup);
  }

  getattr(nodeid: number, _fh: number | undefined, attr: Attr): Outcome {
    const node = this.#node(nodeid);
    if (node.kind === 'other') settleMapped(node);
    const status = statNode(this.#o, node, this.#o.stat);
    if (status >= 0) fillAttr(node, this.#o.stat, attr);
    attr.uncached ||= node.id !== nodeid;
    return status;
  }

  setattr(nodeid: number, change: AttrChange, attr: Attr): Outcome {
    return after(setattr(this.#o, this.#node(nodeid), change, attr), (status) => {
      const told = this.#tellSuccessor(nodeid);
      attr.uncached ||= told;
      return status;
    });
  }

  /** After a change through a node with a successor, of which the kernel keeps the attributes, too. False without one. */
  #tellSuccessor(nodeid: number): boolean {
    const { id } = this.#node(nodeid);
    if (id !== nodeid) this.#o.kernel?.invalidateAttributes(id);
    return id !== nodeid;
  }

  readlink(nodeid: number): ByteString | number {
    const node = this.#file(nodeid);
    if (node === undefined) return -errno.EINVAL;
    if (node.pinned >= 0) return readlinkat(node.pinned, '');
    const place = node.upper ?? node.lower;
    return place === undefined ? -errno.ESTALE : readlinkat(place.dir.fd(), place.name);
  }

  symlink(parent: number, name: ByteString, options: { caller: Caller; target: ByteString }, entry: Entry): Outcome {
    const making = { kind: 'symlink', target: options.target } as const;
    return create(this.#o, { parent: this.#o.nodes.directory(parent), name, caller: options.caller, making }, entry);
  }

  mknod(
    parent: number,
    name: ByteString,
    options: CreateOptions & { caller: Caller; rdev: number },
    entry: Entry,
  ): Outcome {
    const { mode, umask, rdev, caller } = options;
    // It would be a whiteout (ovl_mknod).
    if ((mode & S_IFMT) === S_IFCHR && rdev === 0) return -errno.EPERM;
    const making = { kind: 'node', mode, umask, rdev } as const;
    return create(this.#o, { parent: this.#o.nodes.directory(parent), name, caller, making }, entry);
  }

  mkdir(parent: number, name: ByteString, options: CreateOptions & { caller: Caller }, entry: Entry): Outcome {
    const { mode, umask, caller } = options;
    const making = { kind: 'directory', mode, umask } as const;
    return create(this.#o, { parent: this.#o.nodes.directory(parent), name, caller, making }, entry);
  }

  unlink(parent: number, name: ByteString): Outcome {
    return unlink(this.#o, this.#o.nodes.directory(parent), name);
  }

  rmdir(parent: number, name: ByteString): Outcome {
    return rmdir(this.#o, this.#o.nodes.directory(parent), name);
  }

  rename(options: RenameOptions): Outcome {
    const { nodes } = this.#o;
    return rename(this.#o, {
      from: { parent: nodes.directory(options.parent), name: options.name },
      to: { parent: nodes.directory(options.newParent), name: options.newName },
      flags: options.flags,
    });
  }

  link(nodeid: number, newParent: number, newName: ByteString, entry: Entry): Outcome {
    const node = this.#file(nodeid);
    if (node === undefined) return -errno.EPERM;
    return link(this.#o, node, { parent: this.#o.nodes.directory(newParent), name: newName }, entry);
  }

  open(nodeid: number, options: { caller: Caller; flags: number; killSuidgid: boolean }, opened: Opened): Outcome {
    const node = this.#o.nodes.get(nodeid);
    if (node.kind === 'directory') return -errno.EISDIR;
    return openFile(this.#o, node, options, opened);
  }

  create(
    parent: number,
    name: ByteString,
    options: CreateOptions & { caller: Caller; flags: number },
    out: { entry: Entry; opened: Opened },
  ): Outcome {
    const { mode, umask, caller, flags } = options;
    const making = { kind: 'node', mode: (mode & 0o7777) | S_IFREG, umask, rdev: 0 } as const;
    return createOpen(this.#o, { parent: this.#o.nodes.directory(parent), name, caller, making, flags }, out);
  }

  tmpfile(
    parent: number,
    options: CreateOptions & { caller: Caller; flags: number },
    out: { entry: Entry; opened: Opened },
  ): Outcome {
    return createUnnamed(this.#o, { parent: this.#o.nodes.directory(parent), ...options }, out);
  }

  read(fh: number, offset: number, into: Buffer): number {
    const fd = this.#o.handles.fd(fh);
    return fd < 0 ? fd : pread(fd, into, offset);
  }

  readNode(nodeid: number, offset: number, into: Buffer): number {
    const fd = this.#unopened(nodeid);
    return fd < 0 ? fd : pread(fd, into, offset);
  }

  /** The fd of a file that the kernel opened without us; or -errno. */
  #unopened(nodeid: number): number {
    const node = this.#o.nodes.get(nodeid);
    return node.kind === 'directory' ? -errno.EISDIR : this.#o.readers.fd(node);
  }

  write(fh: number, options: { offset: number; killSuidgid: boolean }, data: Buffer): Outcome {
    const fd = this.#o.handles.fd(fh);
    if (fd < 0) return fd;
    if (options.killSuidgid) dropPrivileges(this.#o, this.#o.handles.get(fh).node);
    return pwrite(fd, data, options.offset);
  }

  release(_nodeid: number, fh: number): void {
    releaseFile(this.#o, fh);
  }

  fsync(fh: number, datasync: boolean): Outcome {
    if (this.#o.volatile) return 0;
    const { node } = this.#o.handles.get(fh);
    if (node.data !== undefined && node.upper !== undefined) return this.#syncAttributes(node);
    const fd = this.#o.handles.fd(fh);
    if (fd < 0) return fd;
    if (datasync && !node.nameUnsynced) return workLong(fd, fdatasyncAside);
    return after(workLong(fd, fsyncAside), () => {
      node.nameUnsynced = false;
      return 0;
    });
  }

  /** Of a metadata-only copy, whose handles lead to the content below. */
  #syncAttributes(node: FileNode): Outcome {
    const fd = openTop(node);
    if (fd < 0) return fd;
    return finallyDo(fsyncAside(fd), () => {
      close(fd);
    });
  }

  fsyncdir(nodeid: number, datasync: boolean): Outcome {
    const { upper } = this.#o.nodes.directory(nodeid);
    if (this.#o.volatile || upper === undefined) return 0;
    const dirfd = upper.fd();
    if (dirfd < 0) return dirfd;
    return workLong(dirfd, datasync ? fdatasyncAside : fsyncAside);
  }

  statfs(): FileSystemStatus | number {
    const [top] = this.#o.stack.layers;
    return top === undefined ? -errno.EIO : fstatfs(top.fd);
  }

  setxattr(nodeid: number, name: ByteString, value: Buffer, options: { flags: number; killSgid: boolean }): Outcome {
    return after(setxattr(this.#o, this.#node(nodeid), { name, value, ...options }), (status) => {
      this.#tellSuccessor(nodeid);
      return status;
    });
  }

  getxattr(nodeid: number, name: ByteString): Buffer | number {
    return getxattr(this.#node(nodeid), name);
  }

  listxattr(nodeid: number, caller: Caller): ByteString[] | number {
    return listxattr(this.#node(nodeid), caller);
  }

  removexattr(nodeid: number, name: ByteString): Outcome {
    return after(removexattr(this.#o, this.#node(nodeid), name), (status) => {
      this.#tellSuccessor(nodeid);
      return status;
    });
  }

  getFlags(nodeid: number, form: FlagsForm): Buffer | number {
    return getFlags(this.#node(nodeid), form);
  }

  setFlags(nodeid: number, form: FlagsForm, value: Buffer): Outcome {
    return setFlags(this.#o, this.#node(nodeid), { form, value });
  }

  readdir(nodeid: number, offset: number, sink: DirectorySink): number {
    return readdir(this.#o, this.#o.nodes.directory(nodeid), offset, sink);
  }

  fallocate(fh: number, options: { mode: number; offset: number; length: number }, caller: Caller): Outcome {
    const fd = this.#o.handles.fd(fh);
    if (fd < 0) return fd;
    const { node } = this.#o.handles.get(fh);
    const refused = checkFallocate(node, options.mode);
    if (refused < 0) return refused;
    dropPrivilegesFor(this.#o, node, caller);
    if (options.length >= LONG) {
      return workLong(fd, (own) => fallocateAside(own, options.mode, options.offset, options.length));
    }
    return fallocate(fd, options.mode, options.offset, options.length);
  }

  lseek(fh: number, offset: number, whence: number): Outcome {
    const fd = this.#o.handles.fd(fh);
    return fd < 0 ? fd : lseek(fd, offset, whence);
  }

  lseekNode(nodeid: number, offset: number, whence: number): Outcome {
    const fd = this.#unopened(nodeid);
    return fd < 0 ? fd : lseek(fd, offset, whence);
  }

  copyFileRange(range: CopyRange, caller: Caller): Outcome {
    const from = this.#o.handles.fd(range.fhIn);
    if (from < 0) return from;
    const to = this.#o.handles.fd(range.fhOut);
    if (to < 0) return to;
    const { node } = this.#o.handles.get(range.fhOut);
    const refused = checkCopyTo(node);
    if (refused < 0) return refused;
    dropPrivilegesFor(this.#o, node, caller);
    const { offsetIn, offsetOut, length } = range;
    if (length < LONG) return copyFileRange({ fd: from, offset: offsetIn }, { fd: to, offset: offsetOut }, length);
    return workLong(from, (source) =>
      Promise.resolve(
        workLong(to, (target) =>
          copyFileRangeAside({ fd: source, offset: offsetIn }, { fd: target, offset: offsetOut }, length),
        ),
      ),
    );
  }

  destroy(): void {
    this.#o.handles.close();
    this.#o.readers.close();
    this.#o.nodes.close();
    const { work, syncsAtEnd } = this.#o;
    work?.close();
    // As the kernel does at the un-mount of an overlay: what was written through it is on disk then (ovl_sync_fs).
    if (work !== undefined && syncsAtEnd) syncfs(this.#o.stack.layers[0]!.fd);
    this.#o.stack.close();
  }
}
