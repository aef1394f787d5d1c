import { lstatSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { errno } from '../../../src/core/index.js';
import {
  AT_FDCWD,
  AT_REMOVEDIR,
  O_NOFOLLOW,
  O_PATH,
  O_RDWR,
  O_TMPFILE,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
  RENAME_WHITEOUT,
  S_IFIFO,
  S_IFSOCK,
  Stat,
  UTIME_NOW,
  UTIME_OMIT,
  chmodEntry,
  close,
  entryPath,
  fchmod,
  fchmodat,
  fchown,
  fchownat,
  fdPath,
  futimens,
  linkFd,
  linkat,
  mkdirat,
  mknodat,
  openat,
  pwrite,
  readlinkat,
  renameat2,
  statx,
  symlinkat,
  umask,
  unlinkat,
  utimens,
  utimensat,
} from '../../../src/sys/index.js';
import { requires } from '../../helpers/requires.js';
import { scratch } from './scratch.js';

const dir = scratch('sys-names');
const at = (name: string): { dirfd: number; name: string } => ({ dirfd: dir.fd, name });
const lstat = (name: string) => lstatSync(`${dir.path}/${name}`);
const stat = new Stat();

describe('making', () => {
  test('mkdirat, mknodat, symlinkat', () => {
    expect(mkdirat(dir.fd, 'directory', 0o751)).toBe(0);
    expect(lstat('directory').mode & 0o777).toBe(0o751);
    expect(mknodat(dir.fd, 'fifo', S_IFIFO | 0o600, 0)).toBe(0);
    expect(lstat('fifo').isFIFO()).toBe(true);
    expect(mknodat(dir.fd, 'socket', S_IFSOCK | 0o600, 0)).toBe(0);
    expect(lstat('socket').isSocket()).toBe(true);
    expect(symlinkat('to/\xff\xfe', dir.fd, 'symlink')).toBe(0);
    expect(readlinkSync(`${dir.path}/symlink`, 'latin1')).toBe('to/\xff\xfe');
    expect(mkdirat(dir.fd, 'directory', 0o700)).toBe(-errno.EEXIST);
    expect(mknodat(dir.fd, 'missing/x', S_IFIFO, 0)).toBe(-errno.ENOENT);
    expect(symlinkat('', dir.fd, 'empty')).toBe(-errno.ENOENT);
    expect(symlinkat('t'.repeat(4096), dir.fd, 'long')).toBe(-errno.ENAMETOOLONG);
  });

  test('umask is what it was before', () => {
    const before = umask(0o077);
    expect(mkdirat(dir.fd, 'masked', 0o777)).toBe(0);
    expect(umask(before)).toBe(0o077);
    expect(lstat('masked').mode & 0o777).toBe(0o700);
  });
});

describe('readlinkat', () => {
  test('gives targets as bytes, up to the longest', () => {
    const longest = 'l'.repeat(4095);
    symlinkat(longest, dir.fd, 'longest');
    expect(readlinkat(dir.fd, 'longest')).toBe(longest);
    expect(readlinkat(dir.fd, 'symlink')).toBe('to/\xff\xfe');
  });

  test('reads an O_PATH symlink with an empty name', () => {
    const fd = openat(dir.fd, 'symlink', O_PATH | O_NOFOLLOW);
    expect(readlinkat(fd, '')).toBe('to/\xff\xfe');
    close(fd);
  });

  test('refuses what is no symlink', () => {
    expect(readlinkat(dir.fd, 'directory')).toBe(-errno.EINVAL);
    expect(readlinkat(dir.fd, 'missing')).toBe(-errno.ENOENT);
  });
});

describe('linking and removing', () => {
  test('linkat makes a second name', () => {
    dir.file('original', 'o');
    expect(linkat(at('original'), at('second'))).toBe(0);
    expect([lstat('second').ino, lstat('second').nlink]).toEqual([lstat('original').ino, 2]);
    expect(linkat(at('original'), at('second'))).toBe(-errno.EEXIST);
    expect(linkat(at('directory'), at('third'))).toBe(-errno.EPERM);
  });

  test('linkat links a symlink itself', () => {
    expect(linkat(at('symlink'), at('symlink2'))).toBe(0);
    expect(lstat('symlink2').isSymbolicLink()).toBe(true);
  });

  const tmpfile = requires('tmpfile');
  test.skipIf(tmpfile.skip)(tmpfile.title('linkFd gives an unnamed file a name'), () => {
    const fd = openat(dir.fd, '.', O_TMPFILE | O_RDWR, 0o600);
    pwrite(fd, Buffer.from('unnamed'), 0);
    expect(linkFd(fd, at('named'))).toBe(0);
    expect(readFileSync(`${dir.path}/named`, 'utf8')).toBe('unnamed');
    expect(linkFd(fd, at('named'))).toBe(-errno.EEXIST);
    close(fd);
    expect(linkFd(fd, at('closed'))).toBe(-errno.ENOENT);
  });

  test('unlinkat removes files, and directories when told', () => {
    expect(unlinkat(dir.fd, 'second')).toBe(0);
    expect(unlinkat(dir.fd, 'second')).toBe(-errno.ENOENT);
    expect(unlinkat(dir.fd, 'directory')).toBe(-errno.EISDIR);
    dir.file('directory/inside');
    expect(unlinkat(dir.fd, 'directory', AT_REMOVEDIR)).toBe(-errno.ENOTEMPTY);
    unlinkat(dir.fd, 'directory/inside');
    expect(unlinkat(dir.fd, 'original', AT_REMOVEDIR)).toBe(-errno.ENOTDIR);
    expect(unlinkat(dir.fd, 'directory', AT_REMOVEDIR)).toBe(0);
  });
});

describe('renameat2', () => {
  test('replaces, unless told not to', () => {
    dir.file('a', 'a');
    dir.file('b', 'b');
    expect(renameat2(at('a'), at('b'), RENAME_NOREPLACE)).toBe(-errno.EEXIST);
    expect(renameat2(at('a'), at('b'))).toBe(0);
    expect(readFileSync(`${dir.path}/b`, 'utf8')).toBe('a');
    expect(renameat2(at('a'), at('b'))).toBe(-errno.ENOENT);
    expect(renameat2(at('b'), { dirfd: AT_FDCWD, name: '/proc/x' })).toBe(-errno.EXDEV);
  });

  test('exchanges', () => {
    dir.file('x', 'x');
    mkdirat(dir.fd, 'y', 0o700);
    expect(renameat2(at('x'), at('y'), RENAME_EXCHANGE)).toBe(0);
    expect([lstat('x').isDirectory(), readFileSync(`${dir.path}/y`, 'utf8')]).toEqual([true, 'x']);
    expect(renameat2(at('x'), at('missing'), RENAME_EXCHANGE)).toBe(-errno.ENOENT);
    expect(renameat2(at('x'), at('y'), RENAME_EXCHANGE | RENAME_NOREPLACE)).toBe(-errno.EINVAL);
  });

  const mknod = requires('mknod');
  test.skipIf(mknod.skip)(mknod.title('leaves a whiteout'), () => {
    expect(renameat2(at('y'), at('z'), RENAME_WHITEOUT)).toBe(0);
    statx(dir.fd, 'y', stat);
    expect(stat.isWhiteoutDevice).toBe(true);
  });
});

describe('owner and mode', () => {
  test('fchmodat and fchmod', () => {
    const fd = dir.file('mode');
    expect(fchmodat(dir.fd, 'mode', 0o4751)).toBe(0);
    expect(lstat('mode').mode & 0o7777).toBe(0o4751);
    expect(fchmod(fd, 0o600)).toBe(0);
    expect(lstat('mode').mode & 0o7777).toBe(0o600);
    expect(fchmodat(dir.fd, 'missing', 0)).toBe(-errno.ENOENT);
    expect(fchmod(1_000_000, 0)).toBe(-errno.EBADF);
  });

  test('chmodEntry changes no file that a link leads to', () => {
    const fd = dir.file('changed');
    dir.file('kept');
    expect(symlinkat('kept', dir.fd, 'leads')).toBe(0);
    const before = lstat('kept').mode;
    expect(chmodEntry({ dirfd: dir.fd, name: 'changed' }, 0o4751)).toBe(0);
    expect(lstat('changed').mode & 0o7777).toBe(0o4751);
    expect(chmodEntry({ dirfd: dir.fd, name: 'leads' }, 0o777)).toBe(-errno.EOPNOTSUPP);
    expect(lstat('kept').mode).toBe(before);
    expect(chmodEntry({ dirfd: dir.fd, name: 'missing' }, 0)).toBe(-errno.ENOENT);
    expect(chmodEntry({ dirfd: AT_FDCWD, name: fdPath(fd) }, 0o600)).toBe(0);
    expect(lstat('changed').mode & 0o7777).toBe(0o600);
  });

  const root = requires('root');
  test.skipIf(root.skip)(root.title('fchownat and fchown, -1 keeps a value'), () => {
    const fd = dir.file('owner');
    // -2 as unsigned: the largest uid there is.
    expect(fchownat(dir.fd, 'owner', { uid: 4_294_967_294, gid: 2_147_483_648 })).toBe(0);
    expect([lstat('owner').uid, lstat('owner').gid]).toEqual([4_294_967_294, 2_147_483_648]);
    expect(fchown(fd, { uid: -1, gid: 7 })).toBe(0);
    expect([lstat('owner').uid, lstat('owner').gid]).toEqual([4_294_967_294, 7]);
    expect(fchownat(dir.fd, 'symlink', { uid: 5, gid: -1 })).toBe(0);
    expect(lstat('symlink').uid).toBe(5);
    const path = openat(dir.fd, 'owner', O_PATH);
    expect(fchown(path, { uid: 0, gid: 0 })).toBe(0);
    expect([lstat('owner').uid, lstat('owner').gid]).toEqual([0, 0]);
    close(path);
    expect(fchownat(dir.fd, 'missing', { uid: 0, gid: 0 })).toBe(-errno.ENOENT);
    expect(fchown(1_000_000, { uid: 0, gid: 0 })).toBe(-errno.EBADF);
  });
});

describe('times', () => {
  const times = { atime: { sec: -5, nsec: 1 }, mtime: { sec: 2 ** 33, nsec: 999_999_999 } };
  const seen = (name: string): number[] => {
    statx(dir.fd, name, stat);
    return [stat.atimeSec, stat.atimeNsec, stat.mtimeSec, stat.mtimeNsec];
  };
  const expected = [-5, 1, 2 ** 33, 999_999_999];

  test('by name, of a symlink itself', () => {
    dir.file('timed');
    symlinkat('timed', dir.fd, 'to-timed');
    expect(utimensat(dir.fd, 'to-timed', times)).toBe(0);
    expect(seen('to-timed')).toEqual(expected);
    expect(seen('timed')).not.toEqual(expected);
    expect(utimensat(dir.fd, 'missing', times)).toBe(-errno.ENOENT);
  });

  test('by path, following; by open file', () => {
    const [a, b] = [dir.file('timed'), dir.file('timed2')];
    expect(utimens(`${dir.path}/to-timed`, times)).toBe(0);
    expect(seen('timed')).toEqual(expected);
    expect(futimens(b, times)).toBe(0);
    expect(seen('timed2')).toEqual(expected);
    expect(futimens(1_000_000, times)).toBe(-errno.EBADF);
    expect(utimens(`${dir.path}/missing`, times)).toBe(-errno.ENOENT);
    const path = openat(dir.fd, 'timed', O_PATH);
    expect(futimens(path, times)).toBe(-errno.EBADF);
    expect(utimens(fdPath(path), { ...times, atime: { sec: 0, nsec: 0 } })).toBe(0);
    expect(seen('timed').slice(0, 2)).toEqual([0, 0]);
    close(path);
    expect(a).toBeGreaterThan(0);
  });

  test('now and as they are', () => {
    utimensat(dir.fd, 'timed', times);
    const change = { atime: { sec: 0, nsec: UTIME_OMIT }, mtime: { sec: 0, nsec: UTIME_NOW } };
    expect(utimensat(dir.fd, 'timed', change)).toBe(0);
    expect(seen('timed').slice(0, 2)).toEqual([-5, 1]);
    expect(Math.abs(stat.mtimeSec - Date.now() / 1000)).toBeLessThan(60);
    const invalid = { atime: { sec: 0, nsec: 1e9 }, mtime: { sec: 0, nsec: 0 } };
    expect(utimensat(dir.fd, 'timed', invalid)).toBe(-errno.EINVAL);
  });
});

describe('paths through /proc', () => {
  test('name an open file, and an entry of an open directory', () => {
    const fd = dir.file('through', 'proc');
    expect(readFileSync(fdPath(fd), 'utf8')).toBe('proc');
    expect(statSync(entryPath(dir.fd, 'through')).ino).toBe(lstat('through').ino);
  });
});
