import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { errno } from '../../../src/core/index.js';
import {
  AT_FDCWD,
  LOCK_EX,
  LOCK_NB,
  LOCK_UN,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
  RESOLVE_BENEATH,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_SYMLINKS,
  SEEK_CUR,
  SEEK_DATA,
  SEEK_END,
  SEEK_HOLE,
  SEEK_SET,
  close,
  copyFileRange,
  fallocate,
  fdatasync,
  ficlone,
  flock,
  fsync,
  ftruncate,
  ioctl,
  isCloseOnExec,
  lseek,
  openat,
  openat2,
  pread,
  pwrite,
  read,
  retryIntr,
  syncfs,
  write,
} from '../../../src/sys/index.js';
import { scratch } from './scratch.js';

const dir = scratch('sys-file');
const BAD_FD = 1_000_000;

describe('openat', () => {
  test('opens below a directory, close-on-exec', () => {
    dir.file('open', 'x');
    const fd = openat(dir.fd, 'open', O_RDONLY);
    expect(isCloseOnExec(fd)).toBe(1);
    expect(close(fd)).toBe(0);
    expect(isCloseOnExec(fd)).toBe(-errno.EBADF);
  });

  test('takes names of any bytes', () => {
    const name = '\xff\xc3\x01\x80';
    dir.file(name, 'bytes');
    const path = Buffer.concat([Buffer.from(`${dir.path}/`), Buffer.from(name, 'latin1')]);
    expect(readFileSync(path, 'utf8')).toBe('bytes');
  });

  test.each([
    ['a missing name', 'missing', O_RDONLY, errno.ENOENT],
    ['an existing name that must be new', 'open', O_WRONLY | O_CREAT | O_EXCL, errno.EEXIST],
    ['a file as directory', 'open', O_RDONLY | O_DIRECTORY, errno.ENOTDIR],
    ['a symlink not to be followed', 'symlink', O_RDONLY | O_NOFOLLOW, errno.ELOOP],
    ['a directory for writing', '.', O_WRONLY, errno.EISDIR],
    ['a name of 256 bytes', 'a'.repeat(256), O_RDONLY, errno.ENAMETOOLONG],
    ['a path of 10,000 bytes', 'a/'.repeat(5000), O_RDONLY, errno.ENAMETOOLONG],
    ['a name with a NUL', 'open\0x', O_RDONLY, errno.ENOENT],
  ])('refuses %s', (_what, name, flags, expected) => {
    dir.file('open');
    try {
      symlinkSync('open', `${dir.path}/symlink`);
    } catch {
      // EEXIST: an earlier case made it.
    }
    expect(openat(dir.fd, name, flags)).toBe(-expected);
  });
});

describe('openat2', () => {
  mkdirSync(`${dir.path}/root/below`, { recursive: true });
  symlinkSync('..', `${dir.path}/root/up`);
  symlinkSync('/etc', `${dir.path}/root/absolute`);
  symlinkSync('below', `${dir.path}/root/inside`);
  const open = (path: string, resolve: number): number => {
    const root = openat(dir.fd, 'root', O_PATH | O_DIRECTORY);
    const fd = openat2(root, path, { flags: O_PATH, resolve });
    close(root);
    return fd < 0 ? fd : close(fd);
  };

  test('opens a whole path', () => {
    expect(open('below', RESOLVE_BENEATH)).toBe(0);
    expect(open('inside', RESOLVE_BENEATH)).toBe(0);
    const file = openat2(dir.fd, 'root/new', { flags: O_RDWR | O_CREAT, mode: 0o640, resolve: RESOLVE_BENEATH });
    expect(isCloseOnExec(file)).toBe(1);
    expect(statSync(`${dir.path}/root/new`).mode & 0o777).toBe(0o640);
    close(file);
  });

  test('finds its way although others rename meanwhile', async () => {
    const rename = `const { mkdirSync, renameSync } = require('node:fs');
      mkdirSync('one'); process.stdout.write('.');
      for (;;) { renameSync('one', 'two'); renameSync('two', 'one'); }`;
    const other = spawn(process.execPath, ['-e', rename], { cwd: dir.path, stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      await once(other.stdout, 'data');
      const outcomes = new Set(Array.from({ length: 20_000 }, () => open('below/../up/below', RESOLVE_IN_ROOT)));
      expect([...outcomes]).toEqual([0]);
    } finally {
      other.kill('SIGKILL');
      await once(other, 'exit');
    }
  });

  test.each([
    ['..', '..', RESOLVE_BENEATH, errno.EXDEV],
    ['.. further down', 'below/../../root', RESOLVE_BENEATH, errno.EXDEV],
    ['an absolute path', '/etc', RESOLVE_BENEATH, errno.EXDEV],
    ['a symlink that leads up', 'up', RESOLVE_BENEATH, errno.EXDEV],
    ['an absolute symlink', 'absolute', RESOLVE_BENEATH, errno.EXDEV],
    ['an absolute symlink out of the root', 'absolute', RESOLVE_IN_ROOT, errno.ENOENT],
    ['any symlink, where none is allowed', 'inside', RESOLVE_NO_SYMLINKS, errno.ELOOP],
    ['unknown rules', 'below', 1 << 20, errno.EINVAL],
  ])('refuses %s', (_what, path, resolve, expected) => {
    expect(open(path, resolve)).toBe(-expected);
  });
});

describe('read and write', () => {
  test('move the position; pread and pwrite do not', () => {
    const fd = dir.file('rw');
    expect(write(fd, Buffer.from('abcdef'))).toBe(6);
    expect(write(fd, Buffer.from('ghi'), 1)).toBe(1);
    expect(pwrite(fd, Buffer.from('XY'), 1)).toBe(2);
    expect(lseek(fd, 0, SEEK_SET)).toBe(0);
    const into = Buffer.alloc(10, '-');
    expect(read(fd, into, 3)).toBe(3);
    expect(into.toString()).toBe('aXY-------');
    expect(pread(fd, into, 2)).toBe(5);
    expect(into.toString()).toBe('Ydefg-----');
    expect(read(fd, into)).toBe(4);
    expect(pread(fd, into, 7)).toBe(0);
  });

  test('refuse what is not open that way', () => {
    const fd = openat(dir.fd, 'rw', O_RDONLY);
    const one = Buffer.alloc(1);
    expect([write(fd, one), pwrite(fd, one, 0)]).toEqual([-errno.EBADF, -errno.EBADF]);
    expect([read(BAD_FD, one), pread(fd, one, -1)]).toEqual([-errno.EBADF, -errno.EINVAL]);
    expect(read(dir.fd, one)).toBe(-errno.EISDIR);
    close(fd);
    expect(close(BAD_FD)).toBe(-errno.EBADF);
  });

  test('reach beyond 4 GiB', () => {
    const fd = dir.file('large');
    const at = 5 * 2 ** 30 + 3;
    expect(pwrite(fd, Buffer.from('z'), at)).toBe(1);
    const into = Buffer.alloc(2);
    expect(pread(fd, into, at)).toBe(1);
    expect(into[0]).toBe(0x7a);
    expect(lseek(fd, 0, SEEK_END)).toBe(at + 1);
    expect(lseek(fd, -1, SEEK_CUR)).toBe(at);
    expect(ftruncate(fd, 3 * 2 ** 32)).toBe(0);
    expect(statSync(`${dir.path}/large`).size).toBe(3 * 2 ** 32);
    expect(ftruncate(fd, -1)).toBe(-errno.EINVAL);
  });
});

describe('lseek', () => {
  test('finds data and holes', () => {
    const fd = dir.file('holes');
    pwrite(fd, Buffer.from('d'), 1 << 20);
    ftruncate(fd, 2 << 20);
    expect(lseek(fd, 0, SEEK_DATA)).toBe(1 << 20);
    expect(lseek(fd, 0, SEEK_HOLE)).toBe(0);
    expect(lseek(fd, (1 << 20) + 4096, SEEK_DATA)).toBe(-errno.ENXIO);
    expect(lseek(fd, -1, SEEK_SET)).toBe(-errno.EINVAL);
  });
});

describe('copyFileRange', () => {
  test('copies between offsets', () => {
    const from = dir.file('from', '0123456789');
    const to = dir.file('to', 'abcdefghij');
    expect(copyFileRange({ fd: from, offset: 2 }, { fd: to, offset: 5 }, 3)).toBe(3);
    expect(readFileSync(`${dir.path}/to`, 'utf8')).toBe('abcde234ij');
    expect(copyFileRange({ fd: from, offset: 8 }, { fd: to, offset: 0 }, 100)).toBe(2);
    expect(copyFileRange({ fd: from, offset: 10 }, { fd: to, offset: 0 }, 100)).toBe(0);
  });

  test('refuses overlapping ranges and directories', () => {
    const fd = dir.file('to');
    expect(copyFileRange({ fd, offset: 0 }, { fd, offset: 1 }, 4)).toBe(-errno.EINVAL);
    expect(copyFileRange({ fd: dir.fd, offset: 0 }, { fd, offset: 0 }, 4)).toBe(-errno.EISDIR);
  });
});

describe('what makes content durable or changes space', () => {
  test('fsync, fdatasync and syncfs', () => {
    const fd = dir.file('sync', 'x');
    expect([fsync(fd), fdatasync(fd), syncfs(fd), fsync(dir.fd)]).toEqual([0, 0, 0, 0]);
    expect([fsync(BAD_FD), fdatasync(BAD_FD), syncfs(BAD_FD)]).toEqual(Array(3).fill(-errno.EBADF));
  });

  test('fallocate', () => {
    const fd = dir.file('space');
    expect(fallocate(fd, 0, 4096, 4096)).toBe(0);
    expect(statSync(`${dir.path}/space`).size).toBe(8192);
    // FALLOC_FL_KEEP_SIZE.
    expect(fallocate(fd, 1, 8192, 4096)).toBe(0);
    expect(statSync(`${dir.path}/space`).size).toBe(8192);
    expect(fallocate(fd, 0, 0, 0)).toBe(-errno.EINVAL);
  });
});

describe('ficlone and ioctl', () => {
  test('ficlone shares blocks or says why not', () => {
    const status = ficlone(dir.file('clone'), dir.file('from'));
    if (status >= 0) expect(readFileSync(`${dir.path}/clone`, 'utf8')).toBe('0123456789');
    else expect([-errno.EOPNOTSUPP, -errno.EINVAL, -errno.ENOTTY]).toContain(status);
    expect(ficlone(BAD_FD, dir.fd)).toBe(-errno.EBADF);
  });

  test('ioctl fills a buffer', () => {
    // FIONREAD is an int the kernel writes: here the bytes between position and end.
    const fd = dir.file('ioctl', '12345');
    const count = Buffer.alloc(4);
    lseek(fd, 1, SEEK_SET);
    expect(ioctl(fd, 0x541b, count)).toBe(0);
    expect(count.readInt32LE()).toBe(4);
    expect(ioctl(fd, 0x1234, count)).toBe(-errno.ENOTTY);
  });
});

describe('flock', () => {
  test('excludes another open file until it is let go', () => {
    dir.file('lock');
    const [a, b] = [openat(dir.fd, 'lock', O_RDONLY), openat(dir.fd, 'lock', O_RDONLY)];
    expect(flock(a, LOCK_EX | LOCK_NB)).toBe(0);
    expect(flock(b, LOCK_EX | LOCK_NB)).toBe(-errno.EAGAIN);
    expect(flock(a, LOCK_UN)).toBe(0);
    expect(flock(b, LOCK_EX | LOCK_NB)).toBe(0);
    close(a);
    close(b);
  });
});

test('retryIntr asks again after EINTR only', () => {
  const answers = [-errno.EINTR, -errno.EINTR, 7];
  expect(retryIntr(() => answers.shift()!)).toBe(7);
  expect(retryIntr(() => -errno.EIO)).toBe(-errno.EIO);
});

test('AT_FDCWD means the working directory', () => {
  const fd = openat(AT_FDCWD, '.', O_PATH);
  expect(fd).toBeGreaterThan(2);
  close(fd);
});
