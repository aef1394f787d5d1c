import { mkdirSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { errno } from '../../../src/core/index.js';
import {
  FS_APPEND_FL,
  FS_IMMUTABLE_FL,
  Stat,
  close,
  getxattr,
  listxattr,
  mknodat,
  openat,
  setxattr,
  statx,
  S_IFIFO,
  S_IFREG,
} from '../../../src/sys/index.js';
import {
  TRUSTED,
  USER,
  announceXattrWhiteouts,
  escapeXattr,
  isInternalXattr,
  isWhiteout,
  makeOpaque,
  makeWhiteout,
  makeXattrWhiteout,
  readMarks,
  setRedirect,
  unescapeXattr,
} from '../../../src/whiteout/index.js';
import type { Marks } from '../../../src/whiteout/index.js';
import { requires } from '../../helpers/requires.js';
import { scratch } from '../sys/scratch.js';

const dir = scratch('whiteout');
const gate = requires('root', 'mknod', 'trusted-xattr');
const NONE: Marks = {
  opaque: undefined,
  redirect: undefined,
  metacopy: false,
  whiteout: false,
  origin: false,
  protection: 0,
};

function marksOf(path: string): Marks {
  const names = listxattr(path);
  if (typeof names === 'number') throw new Error(`cannot list ${path}: ${String(names)}`);
  return readMarks(path, names);
}

let count = 0;
function newDirectory(): { path: string; fd: number } {
  const name = `d${String((count += 1))}`;
  mkdirSync(`${dir.path}/${name}`);
  return { path: `${dir.path}/${name}`, fd: openat(dir.fd, name, 0) };
}

describe('the names of attributes', () => {
  const namespace = fc.constantFrom('trusted.overlay.', 'user.overlay.', 'trusted.', 'user.', 'security.');
  const tail = fc.oneof(
    fc.constantFrom('opaque', 'overlay.opaque', 'overlay.overlay.x', 'overlay.', 'fuseoverlayfs'),
    fc.string({ minLength: 1 }),
  );
  const name = fc.tuple(namespace, tail).map((parts) => parts.join(''));

  test('come back as they were: unescape(escape(x)) = x', () => {
    fc.assert(fc.property(name, (x) => unescapeXattr(escapeXattr(x)) === x));
  });

  test('that are escaped are none of the overlay: escape(x) is shown, and two never meet', () => {
    fc.assert(
      fc.property(name, name, (x, y) => {
        expect(unescapeXattr(escapeXattr(x))).toBeDefined();
        if (x !== y) expect(escapeXattr(x)).not.toBe(escapeXattr(y));
      }),
    );
  });

  test.each([
    'trusted.overlay.opaque',
    'trusted.overlay.',
    'user.overlay.redirect',
    'user.fuseoverlayfs.opaque',
    'user.fuseoverlayfs.anything',
    'trusted.overlay.x.overlay.y',
  ])('%s is internal and hidden', (internal) => {
    expect([isInternalXattr(internal), unescapeXattr(internal)]).toEqual([true, undefined]);
  });

  test.each(['trusted.overlayx', 'user.overlay', 'user.x.trusted.overlay.opaque', 'security.capability'])(
    "%s is a user's own",
    (own) => {
      expect([isInternalXattr(own), escapeXattr(own), unescapeXattr(own)]).toEqual([false, own, own]);
    },
  );

  test('are escaped as the kernel does for nested overlays', () => {
    expect(escapeXattr('trusted.overlay.opaque')).toBe('trusted.overlay.overlay.opaque');
    expect(unescapeXattr('user.overlay.overlay.overlay.x')).toBe('user.overlay.overlay.x');
  });
});

describe.skipIf(gate.skip)(gate.title('readMarks'), () => {
  test.each<[string, Record<string, string>, Partial<Marks>]>([
    ['nothing', {}, {}],
    ['foreign attributes', { 'user.x': 'y', 'trusted.x': 'y' }, {}],
    ['opaque', { 'trusted.overlay.opaque': 'y' }, { opaque: 'y' }],
    ['opaque of an unprivileged overlay', { 'user.overlay.opaque': 'y' }, { opaque: 'y' }],
    ['opaque of fuse-overlayfs', { 'user.fuseoverlayfs.opaque': 'y' }, { opaque: 'y' }],
    ['xattr whiteouts inside', { 'trusted.overlay.opaque': 'x' }, { opaque: 'x' }],
    ['both', { 'trusted.overlay.opaque': 'x', 'user.overlay.opaque': 'y' }, { opaque: 'y' }],
    ['both the other way', { 'trusted.overlay.opaque': 'y', 'user.overlay.opaque': 'x' }, { opaque: 'y' }],
    ['a value nobody knows', { 'trusted.overlay.opaque': 'n' }, {}],
    ['an empty value', { 'trusted.overlay.opaque': '' }, {}],
    ['a redirect', { 'trusted.overlay.redirect': '/a/\xff' }, { redirect: '/a/\xff' }],
    ['metacopy', { 'trusted.overlay.metacopy': '' }, { metacopy: true }],
    ['whiteout', { 'user.overlay.whiteout': '' }, { whiteout: true }],
    ['origin', { 'trusted.overlay.origin': '\0\xfb' }, { origin: true }],
    ['protattr', { 'trusted.overlay.protattr': 'ai' }, { protection: FS_APPEND_FL | FS_IMMUTABLE_FL }],
    ['protattr that nobody knows', { 'trusted.overlay.protattr': 'ix' }, { protection: 0 }],
    ["a user's own, escaped", { 'trusted.overlay.overlay.opaque': 'y' }, {}],
    ['others of the overlay', { 'trusted.overlay.impure': 'y', 'trusted.overlay.nlink': 'L+1' }, {}],
  ])('%s', (_what, xattrs, expected) => {
    const { path, fd } = newDirectory();
    for (const [name, value] of Object.entries(xattrs)) {
      expect(setxattr(path, name, Buffer.from(value, 'latin1'))).toBe(0);
    }
    expect(marksOf(path)).toEqual({ ...NONE, ...expected });
    close(fd);
  });
});

describe.skipIf(gate.skip)(gate.title('making marks'), () => {
  test('a whiteout is the device 0/0', () => {
    expect(makeWhiteout(dir.fd, 'device')).toBe(0);
    const stat = new Stat();
    statx(dir.fd, 'device', stat);
    expect(stat.isWhiteoutDevice).toBe(true);
    expect(makeWhiteout(dir.fd, 'device')).toBe(-errno.EEXIST);
  });

  test.each([TRUSTED, USER])('an opaque directory and a redirect in %s', (namespace) => {
    const { path, fd } = newDirectory();
    expect(makeOpaque(path, namespace)).toBe(0);
    expect(setRedirect(path, namespace, '/to/\xfe')).toBe(0);
    expect(marksOf(path)).toEqual({ ...NONE, opaque: 'y', redirect: '/to/\xfe' });
    expect(listxattr(path)).toHaveLength(2);
    close(fd);
  });

  test.each([TRUSTED, USER])('a whiteout as an attribute in %s, and its directory announces it', (namespace) => {
    const { path, fd } = newDirectory();
    expect(announceXattrWhiteouts(fd, namespace)).toBe(0);
    expect(makeXattrWhiteout(fd, 'gone', namespace)).toBe(0);
    expect(announceXattrWhiteouts(fd, namespace)).toBe(0);
    expect(marksOf(path)).toEqual({ ...NONE, opaque: 'x' });
    expect(marksOf(`${path}/gone`)).toEqual({ ...NONE, whiteout: true });
    expect(makeXattrWhiteout(fd, 'gone', namespace)).toBe(-errno.EEXIST);
    expect(makeXattrWhiteout(fd, 'gone2', namespace)).toBe(0);
    close(fd);
  });

  test.each([
    ['a device', (fd: number) => makeWhiteout(fd, 'it'), true],
    ['an attribute', (fd: number) => makeXattrWhiteout(fd, 'it', USER), true],
    ['a fifo', (fd: number) => mknodat(fd, 'it', S_IFIFO, 0), false],
    ['an empty file', (fd: number) => mknodat(fd, 'it', S_IFREG, 0), false],
    ['nothing', () => 0, false],
  ])('a whiteout is known by what it is: %s', (_what, make, is) => {
    const { fd } = newDirectory();
    expect(make(fd)).toBe(0);
    expect(isWhiteout(fd, 'it', new Stat())).toBe(is);
    close(fd);
  });

  test('a whiteout as an attribute leaves an opaque directory opaque', () => {
    const { path, fd } = newDirectory();
    makeOpaque(path, TRUSTED);
    expect(announceXattrWhiteouts(fd, TRUSTED)).toBe(0);
    expect(makeXattrWhiteout(fd, 'gone', TRUSTED)).toBe(0);
    expect(String(getxattr(path, 'trusted.overlay.opaque'))).toBe('y');
    close(fd);
  });

  test('user attributes cannot be on special files', () => {
    mknodat(dir.fd, 'fifo', S_IFIFO, 0);
    expect(makeOpaque(`${dir.path}/fifo`, USER)).toBe(-errno.EPERM);
  });
});
