// A process that reads, writes and maps files as it is told: a call a line in JSON on standard input, an answer a line on
// standard output, in order. Data goes as base64; a result is >= 0 or -errno.

import { createInterface } from 'node:readline';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const dist = pathToFileURL(
  `${path.resolve(import.meta.dirname, '../..', process.env['VENEER_TEST_DIST'] ?? 'dist')}/sys/`,
);
const { addressOf, bind, cString, result } = await import(new URL('libc.js', dist).href);
const sys = await import(new URL('index.js', dist).href);

const mmap = bind('intptr_t mmap64(intptr_t, size_t, int, int, int, int64_t)');
const munmap = bind('int munmap(intptr_t, size_t)');
const msync = bind('int msync(intptr_t, size_t, int)');
const toMemory = bind('intptr_t memcpy(intptr_t, void *, size_t)');
const fromMemory = bind('intptr_t memmove(void *, intptr_t, size_t)');
const truncate = bind('int truncate64(void *, int64_t)');
const chmod = bind('int chmod(void *, unsigned int)');
const fchmod = bind('int fchmod(int, unsigned int)');
const sendfile = bind('intptr_t sendfile64(int, int, void *, size_t)');
const fadvise = bind('int posix_fadvise64(int, int64_t, int64_t, int)');
const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;
const MS_SYNC = 4;
const POSIX_FADV_DONTNEED = 4;

/** O_DIRECT wants memory at a multiple of the block size. */
const raw = Buffer.alloc((1 << 20) + 4096);
const start = Number((4096n - (addressOf(raw) % 4096n)) % 4096n);
const memory = raw.subarray(start, start + (1 << 20));
const offset64 = Buffer.alloc(8);

const fds = new Map();
const maps = new Map();

const read = (value) => (value < 0 ? { value } : { value, data: memory.toString('base64', 0, value) });
const load = (data) => memory.subarray(0, memory.write(data, 'base64'));

const CALLS = {
  open({ slot, name, flags }) {
    const fd = sys.openat(sys.AT_FDCWD, name, flags);
    if (fd >= 0) fds.set(slot, fd);
    return fd;
  },
  close({ slot }) {
    const fd = fds.get(slot);
    fds.delete(slot);
    return sys.close(fd);
  },
  read: ({ slot, at, length }) => read(sys.pread(fds.get(slot), memory.subarray(0, length), at)),
  write: ({ slot, at, data }) => sys.pwrite(fds.get(slot), load(data), at),
  append: ({ slot, data }) => sys.write(fds.get(slot), load(data)),
  map({ slot, map, length, writable }) {
    const prot = writable ? PROT_READ | PROT_WRITE : PROT_READ;
    const address = result(mmap(0, length, prot, MAP_SHARED, fds.get(slot), 0));
    if (address >= 0) maps.set(map, { address, length });
    return Math.min(address, 0);
  },
  unmap({ map }) {
    const { address, length } = maps.get(map);
    maps.delete(map);
    return result(munmap(address, length));
  },
  load({ map, at, length }) {
    fromMemory(memory, maps.get(map).address + at, length);
    return read(length);
  },
  store({ map, at, data }) {
    const bytes = load(data);
    toMemory(maps.get(map).address + at, bytes, bytes.length);
    return bytes.length;
  },
  msync({ map }) {
    const { address, length } = maps.get(map);
    return result(msync(address, length, MS_SYNC));
  },
  truncate: ({ name, size }) => result(truncate(cString(name), size)),
  ftruncate: ({ slot, size }) => sys.ftruncate(fds.get(slot), size),
  chmod: ({ name, mode }) => result(chmod(cString(name), mode)),
  fchmod: ({ slot, mode }) => result(fchmod(fds.get(slot), mode)),
  fallocate: ({ slot, mode, at, length }) => sys.fallocate(fds.get(slot), mode, at, length),
  copy: ({ slot, at, to, toAt, length }) =>
    sys.copyFileRange({ fd: fds.get(slot), offset: at }, { fd: fds.get(to), offset: toAt }, length),
  send({ slot, at, to, toAt, length }) {
    const moved = sys.lseek(fds.get(to), toAt, sys.SEEK_SET);
    if (moved < 0) return moved;
    offset64.writeBigInt64LE(BigInt(at));
    return result(sendfile(fds.get(to), fds.get(slot), offset64, length));
  },
  fsync: ({ slot }) => sys.fsync(fds.get(slot)),
  fdatasync: ({ slot }) => sys.fdatasync(fds.get(slot)),
  advise: ({ slot }) => -fadvise(fds.get(slot), 0, 0, POSIX_FADV_DONTNEED),
  seek: ({ slot, at, whence }) => sys.lseek(fds.get(slot), at, whence),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { call, ...options } = JSON.parse(line);
  const answer = CALLS[call](options);
  process.stdout.write(`${JSON.stringify(typeof answer === 'number' ? { value: answer } : answer)}\n`);
}
