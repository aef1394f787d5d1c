// All nodes the kernel knows, by number, and those that several names share, by the identity of the real file.

import { SysError, errno } from '../core/index.js';
import { FUSE_ROOT_ID } from '../fuse/index.js';
import { close } from '../sys/index.js';
import type { ByteString } from '../core/index.js';
import type { Merged, RealDir } from '../stack/index.js';
import { DirNode, FileNode } from './node.js';
import type { Name, Node } from './node.js';

export class NodeTable {
  readonly root: DirNode;
  readonly #byId = new Map<number, Node>();
  readonly #byLink = new Map<string, FileNode>();
  #nextId = FUSE_ROOT_ID + 1;

  constructor(parts: Merged, upper: RealDir | undefined) {
    this.root = new DirNode(FUSE_ROOT_ID, parts, upper);
    this.#byId.set(FUSE_ROOT_ID, this.root);
  }

  get size(): number {
    return this.#byId.size;
  }

  /** Throws ESTALE for a number the kernel should not know. */
  get(id: number): Node {
    const node = this.#byId.get(id);
    if (node === undefined) throw new SysError(errno.ESTALE, 'node', String(id));
    return node;
  }

  /** Throws ENOTDIR for a node that is no directory. */
  directory(id: number): DirNode {
    const node = this.get(id);
    if (node.kind !== 'directory') throw new SysError(errno.ENOTDIR, 'node', String(id));
    return node;
  }

  newDirectory(parts: Merged, upper: RealDir | undefined): DirNode {
    const node = new DirNode(this.#nextId++, parts, upper);
    this.#byId.set(node.id, node);
    return node;
  }

  newFile(type: number): FileNode {
    const node = new FileNode(this.#nextId++, type);
    this.#byId.set(node.id, node);
    return node;
  }

  /** Gives a node a name in the merged tree. */
  attach(node: Node, parent: DirNode, name: ByteString): void {
    const at: Name = { parent, name };
    if (node.kind === 'directory') node.at = at;
    else if (!node.names.some((known) => known.parent === parent && known.name === name)) node.names.push(at);
    parent.children.set(name, node);
  }

  /** Takes a name away. */
  detach(node: Node, parent: DirNode, name: ByteString): void {
    if (parent.children.get(name) === node) parent.children.delete(name);
    if (node.kind === 'directory') node.at = undefined;
    else node.names = node.names.filter((known) => known.parent !== parent || known.name !== name);
  }

  /** The node of a hard-linked file that another of its names led to. */
  byLink(key: string): FileNode | undefined {
    return this.#byLink.get(key);
  }

  shareLinks(node: FileNode, key: string): void {
    node.linkKey = key;
    this.#byLink.set(key, node);
  }

  /** Lets go of a node's shared identity: its names lead to another node from now on. */
  unshareLinks(node: FileNode): void {
    if (node.linkKey !== undefined && this.#byLink.get(node.linkKey) === node) this.#byLink.delete(node.linkKey);
    node.linkKey = undefined;
  }

  /** All nodes. */
  values(): Iterable<Node> {
    return this.#byId.values();
  }

  /** The kernel gives back `nlookup` references; with the last one the node ends. */
  forget(id: number, nlookup: number): void {
    const node = this.#byId.get(id);
    if (node === undefined || id === FUSE_ROOT_ID) return;
    node.nlookup -= nlookup;
    if (node.nlookup <= 0) this.#end(node);
  }

  #end(node: Node): void {
    // Work that waits for this node keeps it until it is done.
    if (node.kind === 'other' && (node.copying !== undefined || node.opens > 0)) return;
    this.#byId.delete(node.id);
    if (node.kind === 'directory') {
      if (node.at?.parent.children.get(node.at.name) === node) node.at.parent.children.delete(node.at.name);
      // A hard link may live on under another name; this one is no longer known.
      for (const [name, child] of node.children) this.detach(child, node, name);
      for (const part of node.parts) part.close();
      return;
    }
    for (const { parent, name } of node.names) {
      if (parent.children.get(name) === node) parent.children.delete(name);
    }
    this.unshareLinks(node);
    if (node.pinned >= 0) close(node.pinned);
    node.pinned = -1;
    // A split took a reference for it.
    if (node.successor !== undefined) this.forget(node.successor.id, 1);
  }

  /** Ends a node the kernel has given back, once the work that kept it is done. */
  settle(node: FileNode): void {
    if (node.nlookup <= 0) this.#end(node);
  }

  /** Closes what nodes hold open, at the end of the mount. */
  close(): void {
    for (const node of this.#byId.values()) {
      if (node.kind === 'directory') for (const part of node.parts) part.close();
      else if (node.pinned >= 0) close(node.pinned);
    }
    this.#byId.clear();
  }
}
