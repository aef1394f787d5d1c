// An open file of a check, with the expectations beside the calls.

import { AssertionError } from 'node:assert';
import { errnoName } from '../../src/core/index.js';
import {
  SEEK_SET,
  Stat,
  close,
  copyFileRange,
  fallocate,
  fchmod,
  fchown,
  fdatasync,
  flock,
  fstatx,
  fsync,
  ftruncate,
  futimens,
  pread,
  pwrite,
  read,
  write,
} from '../../src/sys/index.js';
import type { Timestamp } from '../../src/sys/index.js';
import { Mapping, getdents, lseek } from '../helpers/native.js';
import type { Dirent } from '../helpers/native.js';

/** What a call must answer: success, or this errno (one of several where file systems may choose). */
export interface Expected {
  readonly err?: string | readonly string[];
}

/** Passes a result on; throws where it is not what the check expects. */
export function expectResult<T extends number | object | string>(what: string, value: T, expected: Expected = {}): T {
  const got = typeof value === 'number' && value < 0 ? errnoName(-value) : 'success';
  const wanted = expected.err === undefined ? ['success'] : [expected.err].flat();
  if (wanted.includes(got)) return value;
  throw new AssertionError({
    message: `${what}: ${got} instead of ${wanted.join(' or ')}`,
    actual: got,
    expected: wanted[0],
  });
}

export function expectEqual(what: string, actual: unknown, expected: unknown): void {
  if (actual === expected) return;
  const show = (value: unknown): string => (typeof value === 'bigint' ? `${String(value)}n` : JSON.stringify(value));
  throw new AssertionError({ message: `${what}: ${show(actual)} instead of ${show(expected)}`, actual, expected });
}

export interface StatFields {
  readonly type: number;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly nlink: number;
  readonly ino: bigint;
  readonly dev: number;
  /** In units of 512 bytes. */
  readonly blocks: number;
  readonly rdev: number;
  readonly atime: string;
  readonly mtime: string;
  readonly ctime: string;
}

const time = (sec: number, nsec: number): string => `${String(sec)}.${String(nsec).padStart(9, '0')}`;

export function statFields(stat: Stat): StatFields {
  return {
    type: stat.type,
    mode: stat.mode & 0o7777,
    uid: stat.uid,
    gid: stat.gid,
    size: stat.size,
    nlink: stat.nlink,
    ino: stat.ino,
    dev: stat.dev,
    blocks: stat.blocks,
    rdev: stat.rdev,
    atime: time(stat.atimeSec, stat.atimeNsec),
    mtime: time(stat.mtimeSec, stat.mtimeNsec),
    ctime: time(stat.ctimeSec, stat.ctimeNsec),
  };
}

export class Handle {
  readonly fd: number;
  readonly #what: string;
  readonly #run: <T>(call: () => T) => T;
  readonly #maps: Mapping[] = [];
  #open = true;

  constructor(fd: number, what: string, run: <T>(call: () => T) => T) {
    this.fd = fd;
    this.#what = what;
    this.#run = run;
  }

  #expect<T extends number | object | string>(call: string, run: () => T, expected?: Expected): T {
    return expectResult(`${call} on ${this.#what}`, this.#run(run), expected);
  }

  /** At the file position; short only at the end. */
  read(length: number, expected?: Expected): string {
    const into = Buffer.alloc(length);
    return into.toString(
      'latin1',
      0,
      Math.max(
        0,
        this.#expect('read', () => read(this.fd, into), expected),
      ),
    );
  }

  pread(offset: number, length: number, expected?: Expected): string {
    const into = Buffer.alloc(length);
    return into.toString(
      'latin1',
      0,
      Math.max(
        0,
        this.#expect('pread', () => pread(this.fd, into, offset), expected),
      ),
    );
  }

  /** The whole content, whatever the position. */
  content(): string {
    return this.pread(0, this.stat().size);
  }

  write(text: string, expected?: Expected): void {
    const bytes = Buffer.from(text, 'latin1');
    const length = this.#expect('write', () => write(this.fd, bytes), expected);
    if (length >= 0) expectEqual(`length written to ${this.#what}`, length, bytes.length);
  }

  pwrite(offset: number, text: string, expected?: Expected): void {
    this.#expect('pwrite', () => pwrite(this.fd, Buffer.from(text, 'latin1'), offset), expected);
  }

  seek(offset: number | bigint, whence: number, expected?: Expected): number {
    return this.#expect('lseek', () => lseek(this.fd, offset, whence), expected);
  }

  truncate(size: number, expected?: Expected): void {
    this.#expect('ftruncate', () => ftruncate(this.fd, size), expected);
  }

  fallocate(mode: number, offset: number, length: number, expected?: Expected): void {
    this.#expect('fallocate', () => fallocate(this.fd, mode, offset, length), expected);
  }

  /** copy_file_range to another handle, at offset 0 of both. */
  copyTo(to: Handle, length: number, expected?: Expected): number {
    const range = (): number => copyFileRange({ fd: this.fd, offset: 0 }, { fd: to.fd, offset: 0 }, length);
    return this.#expect('copy_file_range', range, expected);
  }

  stat(): StatFields {
    const stat = new Stat();
    this.#expect('fstat', () => fstatx(this.fd, stat));
    return statFields(stat);
  }

  chmod(mode: number, expected?: Expected): void {
    this.#expect('fchmod', () => fchmod(this.fd, mode), expected);
  }

  chown(uid: number, gid: number, expected?: Expected): void {
    this.#expect('fchown', () => fchown(this.fd, { uid, gid }), expected);
  }

  utimens(atime: Timestamp, mtime: Timestamp, expected?: Expected): void {
    this.#expect('futimens', () => futimens(this.fd, { atime, mtime }), expected);
  }

  sync(expected?: Expected): void {
    this.#expect('fsync', () => fsync(this.fd), expected);
    this.#expect('fdatasync', () => fdatasync(this.fd), expected);
  }

  flock(operation: number, expected?: Expected): void {
    this.#expect('flock', () => flock(this.fd, operation), expected);
  }

  map(options: { length: number; prot: number; flags: number }, expected?: Expected): Mapping {
    const map = this.#expect('mmap', () => Mapping.of(this.fd, options), expected) as Mapping;
    if (expected?.err === undefined) this.#maps.push(map);
    return map;
  }

  /** Closes it if it is open, and ends its maps, which would keep the mount busy. */
  discard(): void {
    this.close();
    for (const map of this.#maps) map.unmap();
  }

  /** The next entries of an open directory, `.` and `..` included; [] at the end. */
  getdents(size?: number): Dirent[] {
    return this.#expect('getdents', () => getdents(this.fd, size)) as Dirent[];
  }

  /** All names from the position on, `.` and `..` left out. */
  names(size?: number): string[] {
    const names: string[] = [];
    for (;;) {
      const entries = this.getdents(size);
      if (entries.length === 0) return names.filter((name) => name !== '.' && name !== '..');
      names.push(...entries.map(({ name }) => name));
    }
  }

  rewind(): void {
    this.seek(0, SEEK_SET);
  }

  close(): void {
    if (this.#open) close(this.fd);
    this.#open = false;
  }
}
