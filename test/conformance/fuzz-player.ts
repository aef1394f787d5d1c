// Plays an operation on a directory and tells what came of it, in words that must be the same everywhere.

import { createHash } from 'node:crypto';
import { errnoName } from '../../src/core/index.js';
import {
  AT_FDCWD,
  AT_REMOVEDIR,
  O_APPEND,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
  S_IFIFO,
  Stat,
  close,
  fchmodat,
  fchownat,
  fstatx,
  ftruncate,
  linkat,
  listDirectory,
  mkdirat,
  mknodat,
  openat,
  pread,
  pwrite,
  removexattr,
  renameat2,
  setxattr,
  statx,
  symlinkat,
  unlinkat,
  utimensat,
  write,
} from '../../src/sys/index.js';
import { truncate } from '../helpers/native.js';
import type { Operation } from './fuzz-operations.js';

const answer = (value: number): string => (value < 0 ? errnoName(-value) : 'ok');
const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex').slice(0, 12);

export class Player {
  readonly #root: string;
  readonly #handles = new Map<number, number>();
  /** Slots opened for reading: after a copy-up veneer's keep the lower file (deviations.ts), so what they see is not compared. */
  readonly #readers = new Set<number>();
  readonly #stat = new Stat();
  readonly #buffer = Buffer.alloc(512 * 1024);

  constructor(root: string) {
    this.#root = root;
  }

  closeAll(): void {
    for (const fd of this.#handles.values()) close(fd);
    this.#handles.clear();
  }

  #at(path: string): string {
    return `${this.#root}/${path}`;
  }

  #place(path: string): { dirfd: number; name: string } {
    return { dirfd: AT_FDCWD, name: this.#at(path) };
  }

  /** Opens without waiting for the other end of a fifo. */
  #withFile(path: string, flags: number, work: (fd: number) => string): string {
    const fd = openat(AT_FDCWD, this.#at(path), flags | O_NONBLOCK, 0o644);
    if (fd < 0) return answer(fd);
    try {
      return work(fd);
    } finally {
      close(fd);
    }
  }

  #content(fd: number): string {
    const length = pread(fd, this.#buffer, 0);
    return length < 0 ? answer(length) : `${String(length)} bytes ${hash(this.#buffer.subarray(0, length))}`;
  }

  #attributes(status: number): string {
    const { isDirectory, type, mode, uid, gid, size, nlink } = this.#stat;
    if (status < 0) return answer(status);
    return [type, mode, uid, gid, ...(isDirectory ? [] : [size, nlink])].join(' ');
  }

  #list(fd: number): string {
    const entries = listDirectory(fd);
    if (typeof entries === 'number') return answer(entries);
    return entries
      .map(({ name, type }) => `${name}:${String(type)}`)
      .sort()
      .join(' ');
  }

  #onHandle(slot: number, work: (fd: number) => string): string {
    const fd = this.#handles.get(slot);
    if (fd === undefined) return 'no handle';
    const seen = work(fd);
    return this.#readers.has(slot) && /^\d/.test(seen) ? 'something' : seen;
  }

  play(operation: Operation): string {
    switch (operation.op) {
      case 'create':
        return this.#withFile(operation.path, O_CREAT | O_EXCL | O_WRONLY, () => 'ok');
      case 'mkdir':
        return answer(mkdirat(AT_FDCWD, this.#at(operation.path), 0o755));
      case 'mkfifo':
        return answer(mknodat(AT_FDCWD, this.#at(operation.path), S_IFIFO | 0o600, 0));
      case 'symlink':
        return answer(symlinkat(operation.target, AT_FDCWD, this.#at(operation.path)));
      case 'link':
        return answer(linkat(this.#place(operation.path), this.#place(operation.to)));
      case 'unlink':
        return answer(unlinkat(AT_FDCWD, this.#at(operation.path)));
      case 'rmdir':
        return answer(unlinkat(AT_FDCWD, this.#at(operation.path), AT_REMOVEDIR));
      case 'rename':
        return answer(renameat2(this.#place(operation.path), this.#place(operation.to), operation.flags));
      case 'read':
        return this.#withFile(operation.path, O_RDONLY, (fd) => this.#content(fd));
      case 'list':
        return this.#withFile(operation.path, O_RDONLY | O_DIRECTORY, (fd) => this.#list(fd));
      case 'stat':
        return this.#attributes(statx(AT_FDCWD, this.#at(operation.path), this.#stat));
      case 'write':
        return this.#withFile(operation.path, O_WRONLY, (fd) =>
          answer(pwrite(fd, Buffer.from(operation.text), operation.offset)),
        );
      case 'append':
        return this.#withFile(operation.path, O_WRONLY | O_APPEND, (fd) =>
          answer(write(fd, Buffer.from(operation.text))),
        );
      case 'truncate':
        return answer(truncate(this.#at(operation.path), operation.size));
      case 'chmod':
        return answer(fchmodat(AT_FDCWD, this.#at(operation.path), operation.mode));
      case 'chown':
        return answer(fchownat(AT_FDCWD, this.#at(operation.path), operation));
      case 'utimens': {
        const time = { sec: operation.sec, nsec: 7 };
        return answer(utimensat(AT_FDCWD, this.#at(operation.path), { atime: time, mtime: time }));
      }
      case 'setxattr':
        return answer(setxattr(this.#at(operation.path), operation.key, Buffer.from(operation.text.slice(0, 100))));
      case 'removexattr':
        return answer(removexattr(this.#at(operation.path), operation.key));
      case 'open': {
        this.play({ op: 'close', slot: operation.slot });
        const flags = operation.writing ? O_RDWR : O_RDONLY;
        const fd = openat(AT_FDCWD, this.#at(operation.path), flags | O_NOFOLLOW | O_NONBLOCK);
        if (fd >= 0) this.#handles.set(operation.slot, fd);
        if (operation.writing) this.#readers.delete(operation.slot);
        else this.#readers.add(operation.slot);
        return answer(fd);
      }
      case 'close':
        return this.#onHandle(operation.slot, (fd) => {
          this.#handles.delete(operation.slot);
          return answer(close(fd));
        });
      case 'handle-read':
        return this.#onHandle(operation.slot, (fd) => this.#content(fd));
      case 'handle-stat':
        // Of an unlinked special file of a lower layer the kernel still tells the old link count.
        return this.#onHandle(operation.slot, (fd) => {
          const seen = this.#attributes(fstatx(fd, this.#stat));
          return this.#stat.isRegular ? seen : 'something';
        });
      case 'handle-write':
        return this.#onHandle(operation.slot, (fd) =>
          answer(pwrite(fd, Buffer.from(operation.text), operation.offset)),
        );
      case 'handle-truncate':
        return this.#onHandle(operation.slot, (fd) => answer(ftruncate(fd, operation.size)));
    }
  }
}
