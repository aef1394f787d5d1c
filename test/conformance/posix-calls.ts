// Every call that takes a path, for checks that ask the same of all of them.

import { O_CREAT, O_RDONLY, O_WRONLY, S_IFCHR, S_IFIFO, S_IFSOCK, encodeDev } from '../../src/sys/index.js';
import type { Ctx } from './ctx.js';
import type { Expected } from './handle.js';

export type Call = (ctx: Ctx, path: string, expected: Expected) => void;

const TIMES = { atime: { sec: 1, nsec: 0 }, mtime: { sec: 2, nsec: 0 } };

/** Calls that follow a symlink in the last place. */
export const FOLLOWING: Readonly<Record<string, Call>> = {
  open: (ctx, path, expected) => ctx.touch(path, O_RDONLY, expected),
  'open for writing': (ctx, path, expected) => ctx.touch(path, O_WRONLY, expected),
  opendir: (ctx, path, expected) => ctx.opendir(path, expected).close(),
  stat: (ctx, path, expected) => void ctx.statFollow(path, expected),
  access: (ctx, path, expected) => ctx.access(path, 0, expected),
  chmod: (ctx, path, expected) => ctx.chmod(path, 0o700, expected),
  chown: (ctx, path, expected) => ctx.chown(path, 0, 0, expected),
  truncate: (ctx, path, expected) => ctx.truncate(path, 0, expected),
};

/** Calls that act on a symlink itself. */
export const NOT_FOLLOWING: Readonly<Record<string, Call>> = {
  lstat: (ctx, path, expected) => void ctx.stat(path, expected),
  lchown: (ctx, path, expected) => ctx.lchown(path, 0, 0, expected),
  utimensat: (ctx, path, expected) => ctx.utimens(path, TIMES, expected),
  lsetxattr: (ctx, path, expected) => ctx.setxattr(path, 'trusted.k', 'v', expected),
  lgetxattr: (ctx, path, expected) => void ctx.getxattr(path, 'trusted.k', expected),
  lremovexattr: (ctx, path, expected) => ctx.removexattr(path, 'trusted.k', expected),
  readlink: (ctx, path, expected) => void ctx.readlink(path, expected),
  'link from': (ctx, path, expected) => ctx.link(path, 'linked', expected),
  'rename from': (ctx, path, expected) => ctx.rename(path, 'renamed', expected),
  unlink: (ctx, path, expected) => ctx.unlink(path, expected),
  rmdir: (ctx, path, expected) => ctx.rmdir(path, expected),
};

/** Calls that make a name; `link to` and `rename to` need a file `source`. */
export const MAKING: Readonly<Record<string, Call>> = {
  'open with O_CREAT': (ctx, path, expected) => ctx.touch(path, O_WRONLY | O_CREAT, expected),
  'open with O_EXCL': (ctx, path, expected) => ctx.create(path, '', expected),
  mkdir: (ctx, path, expected) => ctx.mkdir(path, expected),
  mkfifo: (ctx, path, expected) => ctx.mknod(path, S_IFIFO | 0o644, expected),
  'mknod of a socket': (ctx, path, expected) => ctx.mknod(path, S_IFSOCK | 0o644, expected),
  symlink: (ctx, path, expected) => ctx.symlink('target', path, expected),
  'link to': (ctx, path, expected) => ctx.link('source', path, expected),
  'rename to': (ctx, path, expected) => ctx.rename('source', path, expected),
};

/** A device may be made by root only; otherwise as MAKING. */
export const MAKING_DEVICE: Call = (ctx, path, expected) =>
  ctx.mknod(path, S_IFCHR | 0o644, { ...expected, rdev: encodeDev(1, 3) });

export const ALL: Readonly<Record<string, Call>> = {
  ...FOLLOWING,
  ...NOT_FOLLOWING,
  ...MAKING,
  'mknod of a device': MAKING_DEVICE,
};
