// Files that the kernel reads without having told us of an open (FUSE_NO_OPEN_SUPPORT): some stay open for the next
// read. Read-only mounts only, where a node's file never becomes another one.

import { O_RDONLY, close } from '../sys/index.js';
import { openReal } from './handles.js';
import type { FileNode } from './node.js';

/** What one walk with several readers keeps in use. */
const CAPACITY = 64;

export class Readers {
  /** By node number, the least recently used first. */
  readonly #fds = new Map<number, number>();

  /** An fd of a node's file, valid until the next call, or -errno. */
  fd(node: FileNode): number {
    const known = this.#fds.get(node.id);
    if (known !== undefined) {
      this.#fds.delete(node.id);
      this.#fds.set(node.id, known);
      return known;
    }
    const fd = openReal(node, O_RDONLY);
    if (fd < 0) return fd;
    if (this.#fds.size >= CAPACITY) this.forget(this.#fds.keys().next().value ?? 0);
    this.#fds.set(node.id, fd);
    return fd;
  }

  /** Lets go of a node's file. */
  forget(nodeid: number): void {
    const fd = this.#fds.get(nodeid);
    if (fd === undefined) return;
    this.#fds.delete(nodeid);
    close(fd);
  }

  close(): void {
    for (const fd of this.#fds.values()) close(fd);
    this.#fds.clear();
  }
}
