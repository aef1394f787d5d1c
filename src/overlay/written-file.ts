// A file that somebody writes to, at the moment its upper is frozen. The kernel writes to it past us, by the inode that it was given at the
// open, and a mapping may outlive every handle: so that inode moves on to the next upper, and the frozen one gets a copy in its place.

import type { ByteString } from '../core/index.js';
import { errno } from '../core/index.js';
import type { Ino } from '../stack/index.js';
import {
  O_CREAT,
  O_EXCL,
  O_NOFOLLOW,
  O_RDONLY,
  O_RDWR,
  RENAME_EXCHANGE,
  Stat,
  close,
  fchmod,
  fchown,
  fstatx,
  futimens,
  getxattr,
  linkat,
  listxattr,
  openat,
  renameat2,
  setxattr,
  statx,
  unlinkat,
} from '../sys/index.js';
import { timesOf } from './copy-attributes.js';
import type { Exchange } from './freeze-record.js';
import type { FreshUpper } from './fresh-upper.js';
import { keepingTimes } from './keeping-times.js';
import type { FileNode, Name, Place } from './node.js';
import type { Overlay } from './overlay.js';
import type { WorkDir } from './work-dir.js';

/** One of its names, and where in the work directory the link is made that has to go there. */
interface Move {
  readonly at: Name;
  readonly temporary: ByteString;
}

export class WrittenFile {
  readonly node: FileNode;
  readonly #o: Overlay;
  readonly #work: WorkDir;
  /** The copy in the work directory. */
  #copy: ByteString | undefined;
  /** Of all its names; so many of them are done. */
  #moves: readonly Move[] = [];
  #done = 0;
  /** Where its inode is in the next upper. */
  place: Place | undefined;

  constructor(o: Overlay, work: WorkDir, node: FileNode) {
    this.#o = o;
    this.#work = work;
    this.node = node;
  }

  /** Makes the copy. Returns 0 or -errno. */
  async copy(): Promise<number> {
    const { upper } = this.node;
    if (upper === undefined) return -errno.ESTALE;
    const name = this.#work.newName();
    const from = openat(upper.dir.fd(), upper.name, O_RDONLY | O_NOFOLLOW);
    if (from < 0) return from;
    const to = openat(this.#work.fd, name, O_CREAT | O_EXCL | O_RDWR, 0o600);
    if (to < 0) {
      close(from);
      return to;
    }
    this.#copy = name;
    const status = await this.#fill(from, to);
    close(from);
    close(to);
    return status;
  }

  async #fill(from: number, to: number): Promise<number> {
    const { copier, volatile } = this.#o;
    const stat = new Stat();
    let status = fstatx(from, stat);
    if (status >= 0) status = await copier.copy({ from, to, size: stat.size, stat });
    if (status >= 0) status = fchown(to, stat);
    if (status >= 0) status = copyAllXattrs(from, to);
    if (status >= 0) status = fchmod(to, stat.mode & 0o7777);
    if (status >= 0) status = futimens(to, timesOf(stat));
    return status < 0 || volatile ? status : copier.sync(to, stat.size);
  }

  /** What `exchange` is going to do, or -errno. */
  plan(): Exchange[] | number {
    const [file, copy] = [new Stat(), new Stat()];
    const { upper } = this.node;
    const name = this.#copy;
    if (upper === undefined || name === undefined) return -errno.ESTALE;
    const known = statx(upper.dir.fd(), upper.name, file);
    const status = known < 0 ? known : statx(this.#work.fd, name, copy);
    if (status < 0) return status;
    const names = this.node.names.filter(({ parent }) => parent.upper !== undefined);
    this.#moves = names.map((at, index) => ({ at, temporary: index === 0 ? name : this.#work.newName() }));
    return this.#moves.map(({ at, temporary }) => {
      const { path } = at.parent.writable;
      return { path: path === '' ? at.name : `${path}/${at.name}`, temporary, file: inoOf(file), copy: inoOf(copy) };
    });
  }

  /** Lets the copy and the file change places, under all names of it. Returns 0 or -errno. */
  exchange(): number {
    const [first] = this.#moves;
    if (first === undefined) return -errno.ESTALE;
    for (const move of this.#moves) {
      const linked = move === first ? 0 : this.#linkCopy(first.at, move.temporary);
      const status = linked < 0 ? linked : this.#swap(move.at, move.temporary);
      if (status < 0) {
        if (move !== first) unlinkat(this.#work.fd, move.temporary);
        return status;
      }
      this.#done += 1;
    }
    return 0;
  }

  #linkCopy({ parent, name }: Name, temporary: ByteString): number {
    return linkat({ dirfd: parent.writable.fd(), name }, { dirfd: this.#work.fd, name: temporary });
  }

  #swap(at: Name, temporary: ByteString): number {
    const dir = at.parent.writable;
    const here = { dirfd: this.#work.fd, name: temporary };
    return keepingTimes(dir, () => renameat2(here, { dirfd: dir.fd(), name: at.name }, RENAME_EXCHANGE));
  }

  /** Takes everything back. */
  undo(): void {
    for (const { at, temporary } of this.#moves.slice(0, this.#done).reverse()) {
      this.#swap(at, temporary);
      unlinkat(this.#work.fd, temporary);
    }
    if (this.#done === 0 && this.#copy !== undefined) unlinkat(this.#work.fd, this.#copy);
  }

  /** Gives the file its names in the next upper. Returns 0 or -errno. */
  moveTo(fresh: FreshUpper): number {
    for (const [index, { at, temporary }] of this.#moves.entries()) {
      const dir = fresh.directory(at.parent);
      if (typeof dir === 'number') return dir;
      // So that it can be taken back, the work directory keeps its link.
      const link = this.#work.newName();
      const linked = linkat({ dirfd: this.#work.fd, name: temporary }, { dirfd: this.#work.fd, name: link });
      if (linked < 0) return linked;
      const placed = fresh.place(dir, link, at.name);
      if (placed < 0) {
        unlinkat(this.#work.fd, link);
        return placed;
      }
      if (index === 0) this.place = { dir, name: at.name };
    }
    return 0;
  }

  /** Once there is no way back. */
  finish(): void {
    for (const { temporary } of this.#moves) unlinkat(this.#work.fd, temporary);
  }
}

function inoOf({ inoLow, inoHigh }: Stat): Ino {
  return { inoLow, inoHigh };
}

/** The overlay's own as well. Returns 0 or -errno. */
function copyAllXattrs(from: number, to: number): number {
  const names = listxattr(from);
  if (typeof names === 'number') return names;
  for (const name of names) {
    const value = getxattr(from, name);
    if (value === -errno.ENODATA) continue;
    const status = typeof value === 'number' ? value : setxattr(to, name, value);
    if (status < 0 && status !== -errno.EOPNOTSUPP && status !== -errno.EPERM) return status;
  }
  return 0;
}
