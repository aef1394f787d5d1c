// A mount without an upper: everything can be read, and every change is EROFS.

import { O_CREAT, O_RDONLY, O_RDWR, O_TMPFILE, O_TRUNC, O_WRONLY, S_IFIFO } from '../../src/sys/index.js';
import { dir, file, symlink, whiteout } from '../helpers/layer-spec.js';
import type { Check } from './check.js';
import { expectEqual } from './handle.js';
import { ALICE } from './users.js';

const lower = [
  { f: file('content', { xattrs: { 'user.k': 'v' }, mode: 0o640 }), gone: whiteout(), 'd/top': '', l: symlink('f') },
  { f: 'hidden', gone: 'x', 'd/bottom': '', 'only/x': '' },
];
const EROFS = { err: 'EROFS' };

export const readOnly: readonly Check[] = [
  {
    name: 'reading works',
    lower,
    run: (ctx) => {
      ctx.expectContent('f', 'content');
      ctx.expectContent('l', 'content');
      ctx.expectMissing('gone');
      ctx.expectList('d', ['bottom', 'top']);
      ctx.expectList('', ['d', 'f', 'l', 'only']);
      ctx.expectXattr('f', 'user.k', 'v');
      ctx.as(ALICE).read('f', { err: 'EACCES' });
      ctx.as(ALICE).stat('d/top');
      const handle = ctx.open('f', O_RDONLY);
      expectEqual('inode', handle.stat().ino, ctx.stat('f').ino);
    },
  },
  {
    name: 'opening for writing is EROFS',
    lower,
    run: (ctx) => {
      for (const flags of [O_WRONLY, O_RDWR, O_RDONLY | O_TRUNC]) ctx.touch('f', flags, EROFS);
      ctx.touch('new', O_WRONLY | O_CREAT, EROFS);
      ctx.touch('missing', O_RDWR, { err: 'ENOENT' });
      ctx.open('', O_TMPFILE | O_RDWR, EROFS);
    },
  },
  {
    name: 'making, moving and removing is EROFS',
    lower: [...lower, { e: dir() }],
    run: (ctx) => {
      ctx.mkdir('new', EROFS);
      ctx.mkdir('d', { err: 'EEXIST' });
      ctx.mknod('new', S_IFIFO | 0o600, EROFS);
      ctx.symlink('x', 'new', EROFS);
      ctx.link('f', 'new', EROFS);
      ctx.unlink('f', EROFS);
      ctx.rmdir('e', EROFS);
      ctx.rename('f', 'new', EROFS);
      ctx.rename('d', 'new', EROFS);
    },
  },
  {
    name: 'changing attributes is EROFS',
    lower,
    run: (ctx) => {
      const time = { sec: 1, nsec: 0 };
      ctx.chmod('f', 0o600, EROFS);
      ctx.chown('f', 1, 1, EROFS);
      ctx.truncate('f', 0, EROFS);
      ctx.utimens('f', { atime: time, mtime: time }, EROFS);
      ctx.setxattr('f', 'user.x', 'x', EROFS);
      ctx.removexattr('f', 'user.k', EROFS);
      ctx.access('f', 2, EROFS);
      ctx.open('f', O_RDONLY).chmod(0o600, EROFS);
    },
  },
];
