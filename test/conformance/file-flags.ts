// chattr and lsattr: flags are told and set, go with a file through copy-up, and the protecting ones protect.

import {
  FSXATTR_SIZE,
  FS_APPEND_FL,
  FS_IMMUTABLE_FL,
  FS_NOATIME_FL,
  FS_SYNC_FL,
  FS_XFLAG_APPEND,
  FS_XFLAG_IMMUTABLE,
  O_APPEND,
  O_CREAT,
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
  O_TMPFILE,
  O_TRUNC,
  O_WRONLY,
  RENAME_EXCHANGE,
  UTIME_NOW,
  getFlags,
  getFsxattr,
  setFlags,
  setFsxattr,
} from '../../src/sys/index.js';
import { dir, fifo, file } from '../helpers/layer-spec.js';
import type { LayerSpec } from '../helpers/layer-spec.js';
import { runAs } from '../helpers/native.js';
import { ACL_ACCESS, acl } from './acl.js';
import type { Check } from './check.js';
import type { Ctx } from './ctx.js';
import { expectEqual, expectResult } from './handle.js';
import type { Expected } from './handle.js';
import { ALICE, BOB } from './users.js';

/** The file systems below add flags of their own (extents, inline data). */
const OURS = FS_SYNC_FL | FS_IMMUTABLE_FL | FS_APPEND_FL | FS_NOATIME_FL;

const things: LayerSpec = {
  f: file('content', { mode: 0o644, xattrs: { 'user.a': '1' } }),
  g: 'other',
  d: dir(),
  'd/inside': 'x',
  'd/sub': dir(),
  e: dir(),
  p: fifo(),
};

const byOrigin = (make: (layers: Pick<Check, 'lower' | 'upper'>, origin: string) => Check[]): Check[] => [
  ...make({ lower: [things] }, 'lower'),
  ...make({ upper: things }, 'upper'),
  ...make({ lower: [{ ...things, f: 'hidden' }], upper: things }, 'merged'),
];

function flagsOf(ctx: Ctx, path: string): number {
  const handle = ctx.open(path, O_RDONLY | O_NONBLOCK);
  const flags = expectResult(`GETFLAGS of ${path}`, getFlags(handle.fd));
  handle.close();
  return flags;
}

const expectFlags = (ctx: Ctx, path: string, flags: number): void =>
  expectEqual(`flags of ${path}`, (flagsOf(ctx, path) & OURS).toString(16), flags.toString(16));

/** As chattr(1) does: reads, changes, writes. */
function chattr(ctx: Ctx, path: string, flags: number, expected: Expected = {}): void {
  const handle = ctx.open(path, O_RDONLY | O_NONBLOCK);
  const present = expectResult(`GETFLAGS of ${path}`, getFlags(handle.fd));
  expectResult(`SETFLAGS of ${path}`, setFlags(handle.fd, (present & ~OURS) | flags), expected);
  handle.close();
}

/** Protected files would outlive the test. */
function protecting(ctx: Ctx, marks: Readonly<Record<string, number>>, run: () => void): void {
  for (const [path, flags] of Object.entries(marks)) chattr(ctx, path, flags);
  try {
    run();
  } finally {
    for (const path of Object.keys(marks)) chattr(ctx, path, 0);
  }
}

const EPERM = { err: 'EPERM' } as const;
const at = (sec: number): { sec: number; nsec: number } => ({ sec, nsec: 0 });
const NOW = { sec: 0, nsec: UTIME_NOW };

const carried: readonly Check[] = byOrigin((layers, origin) => [
  {
    name: `flags are told, set and kept, ${origin}`,
    ...layers,
    run: (ctx) => {
      for (const path of ['f', 'd', 'd/inside']) {
        expectFlags(ctx, path, 0);
        chattr(ctx, path, FS_NOATIME_FL | FS_SYNC_FL);
        expectFlags(ctx, path, FS_NOATIME_FL | FS_SYNC_FL);
      }
      ctx.append('f', '+');
      ctx.chmod('f', 0o600);
      ctx.rename('f', 'd/f');
      expectFlags(ctx, 'd/f', FS_NOATIME_FL | FS_SYNC_FL);
      ctx.expectContent('d/f', 'content+');
      chattr(ctx, 'd/f', FS_NOATIME_FL);
      expectFlags(ctx, 'd/f', FS_NOATIME_FL);
    },
  },
  {
    name: `flags in the form of struct fsxattr, ${origin}`,
    ...layers,
    run: (ctx) => {
      for (const path of ['f', 'd']) {
        const handle = ctx.open(path, O_RDONLY);
        const attributes = Buffer.alloc(FSXATTR_SIZE);
        expectResult('FSGETXATTR', getFsxattr(handle.fd, attributes));
        expectEqual('not protected', attributes.readUInt32LE() & (FS_XFLAG_IMMUTABLE | FS_XFLAG_APPEND), 0);
        attributes.writeUInt32LE(attributes.readUInt32LE() | FS_XFLAG_IMMUTABLE);
        expectResult('FSSETXATTR', setFsxattr(handle.fd, attributes));
        expectFlags(ctx, path, FS_IMMUTABLE_FL);
        const again = Buffer.alloc(FSXATTR_SIZE);
        expectResult('FSGETXATTR', getFsxattr(handle.fd, again));
        expectEqual('attributes', again.toString('hex'), attributes.toString('hex'));
        again.writeUInt32LE(again.readUInt32LE() & ~FS_XFLAG_IMMUTABLE);
        expectResult('FSSETXATTR', setFsxattr(handle.fd, again));
        expectFlags(ctx, path, 0);
        handle.close();
      }
    },
  },
  {
    name: `flags of what is no file and no directory: ENOTTY, ${origin}`,
    ...layers,
    run: (ctx) => {
      expectResult('GETFLAGS', getFlags(ctx.open('p', O_RDONLY | O_NONBLOCK).fd), { err: 'ENOTTY' });
    },
  },
  {
    name: `who may set flags, ${origin}`,
    ...layers,
    run: (ctx) => {
      ctx.chown('f', ALICE.uid, ALICE.gid);
      const handle = ctx.open('f', O_RDONLY);
      const set = (user: typeof ALICE, flags: number, expected?: Expected): void =>
        void expectResult(
          'SETFLAGS',
          runAs(user, () => setFlags(handle.fd, flags)),
          expected,
        );
      const present = getFlags(handle.fd);
      set(BOB, present | FS_NOATIME_FL, EPERM);
      set(ALICE, present | FS_IMMUTABLE_FL, EPERM);
      set(ALICE, present | FS_APPEND_FL, EPERM);
      expectFlags(ctx, 'f', 0);
      set(ALICE, present | FS_NOATIME_FL);
      expectFlags(ctx, 'f', FS_NOATIME_FL);
      protecting(ctx, { f: FS_IMMUTABLE_FL }, () => set(ALICE, present, EPERM));
    },
  },
  {
    name: `the marks of protection are not for users, ${origin}`,
    ...layers,
    run: (ctx) => {
      protecting(ctx, { f: FS_IMMUTABLE_FL, d: FS_APPEND_FL }, () => {
        ctx.expectXattrNames('f', ['user.a']);
        ctx.expectXattrNames('d', []);
      });
    },
  },
]);

const protection: readonly Check[] = byOrigin((layers, origin) => [
  {
    name: `an immutable file is not changed, ${origin}`,
    ...layers,
    run: (ctx) => {
      const writer = ctx.open('f', O_RDWR);
      protecting(ctx, { f: FS_IMMUTABLE_FL }, () => {
        expectFlags(ctx, 'f', FS_IMMUTABLE_FL);
        ctx.expectContent('f', 'content');
        for (const flags of [O_WRONLY, O_RDWR, O_WRONLY | O_TRUNC, O_WRONLY | O_APPEND, O_RDONLY | O_TRUNC])
          ctx.touch('f', flags, EPERM);
        ctx.truncate('f', 0, EPERM);
        ctx.chmod('f', 0o600, EPERM);
        ctx.chown('f', 1, 1, EPERM);
        ctx.utimens('f', { atime: at(1), mtime: at(1) }, EPERM);
        ctx.utimens('f', { atime: NOW, mtime: NOW }, EPERM);
        ctx.setxattr('f', 'user.k', 'v', EPERM);
        ctx.setxattr('f', ACL_ACCESS, acl({ user: 6, group: 4, other: 4 }), EPERM);
        ctx.removexattr('f', 'user.a', EPERM);
        ctx.unlink('f', EPERM);
        ctx.rename('f', 'new', EPERM);
        ctx.link('f', 'new', EPERM);
        ctx.rename('g', 'f', EPERM);
        ctx.rename('g', 'f', { flags: RENAME_EXCHANGE, ...EPERM });
        ctx.rename('f', 'g', { flags: RENAME_EXCHANGE, ...EPERM });
        writer.chmod(0o600, EPERM);
        writer.fallocate(0, 0, 100, EPERM);
        ctx.open('g', O_RDONLY).copyTo(writer, 5, EPERM);
        ctx.expectContent('f', 'content');
        ctx.expectContent('g', 'other');
      });
      ctx.append('f', '+');
      ctx.unlink('f');
    },
  },
  {
    name: `an append-only file takes appends alone, ${origin}`,
    ...layers,
    run: (ctx) => {
      const writer = ctx.open('f', O_RDWR);
      protecting(ctx, { f: FS_APPEND_FL }, () => {
        ctx.append('f', '+');
        ctx.touch('f', O_RDWR | O_APPEND);
        ctx.expectContent('f', 'content+');
        for (const flags of [O_WRONLY, O_RDWR, O_WRONLY | O_APPEND | O_TRUNC, O_RDONLY | O_TRUNC])
          ctx.touch('f', flags, EPERM);
        ctx.truncate('f', 0, EPERM);
        writer.truncate(0, EPERM);
        writer.fallocate(3, 0, 1, EPERM);
        ctx.chmod('f', 0o600, EPERM);
        ctx.utimens('f', { atime: at(1), mtime: at(1) }, EPERM);
        ctx.utimens('f', { atime: NOW, mtime: NOW });
        ctx.setxattr('f', 'user.k', 'v', EPERM);
        ctx.unlink('f', EPERM);
        ctx.rename('f', 'new', EPERM);
        ctx.rename('g', 'f', EPERM);
        ctx.link('f', 'new', EPERM);
        ctx.expectContent('f', 'content+');
      });
      ctx.write('f', 'new');
    },
  },
  {
    name: `an immutable directory keeps its names, and its files may change, ${origin}`,
    ...layers,
    run: (ctx) => {
      protecting(ctx, { d: FS_IMMUTABLE_FL }, () => {
        ctx.create('d/new', '', EPERM);
        ctx.mkdir('d/new', EPERM);
        ctx.mknod('d/new', 0o010644, EPERM);
        ctx.symlink('x', 'd/new', EPERM);
        ctx.link('f', 'd/new', EPERM);
        ctx.open('d', O_TMPFILE | O_RDWR, EPERM);
        ctx.unlink('d/inside', EPERM);
        ctx.rmdir('d/sub', EPERM);
        ctx.rename('d/inside', 'd/new', EPERM);
        ctx.rename('d/inside', 'new', EPERM);
        ctx.rename('f', 'd/new', EPERM);
        ctx.rename('f', 'd/inside', EPERM);
        ctx.rename('d', 'new', EPERM);
        ctx.rename('d', 'e', { flags: RENAME_EXCHANGE, ...EPERM });
        ctx.rmdir('d', EPERM);
        ctx.chmod('d', 0o700, EPERM);
        ctx.setxattr('d', 'user.k', 'v', EPERM);
        ctx.touch('d/inside', O_WRONLY | O_CREAT);
        ctx.append('d/inside', '+');
        ctx.chmod('d/inside', 0o600);
        ctx.create('d/sub/new', 'x');
        ctx.expectList('d', ['inside', 'sub']);
      });
      expectFlags(ctx, 'd', 0);
      ctx.create('d/new');
    },
  },
  {
    name: `an append-only directory takes new names alone, ${origin}`,
    ...layers,
    run: (ctx) => {
      protecting(ctx, { d: FS_APPEND_FL }, () => {
        ctx.create('d/new', 'x');
        ctx.mkdir('d/dir');
        ctx.link('g', 'd/link');
        ctx.rename('f', 'd/moved');
        ctx.unlink('d/inside', EPERM);
        ctx.rmdir('d/sub', EPERM);
        ctx.rename('d/inside', 'd/other', EPERM);
        ctx.rename('d/inside', 'out', EPERM);
        ctx.rename('g', 'd/inside', EPERM);
        ctx.chmod('d', 0o700, EPERM);
        ctx.expectList('d', ['dir', 'inside', 'link', 'moved', 'new', 'sub']);
      });
    },
  },
  {
    name: `protection goes with all names of a file, ${origin}`,
    ...layers,
    run: (ctx) => {
      ctx.link('f', 'd/link');
      protecting(ctx, { f: FS_IMMUTABLE_FL }, () => {
        ctx.touch('d/link', O_WRONLY, EPERM);
        ctx.unlink('d/link', EPERM);
      });
      ctx.unlink('d/link');
    },
  },
  {
    name: `flags of an open file without a name, ${origin}`,
    ...layers,
    run: (ctx) => {
      ctx.append('f', '+');
      const handle = ctx.open('f', O_RDWR);
      ctx.unlink('f');
      const present = expectResult('GETFLAGS', getFlags(handle.fd));
      expectResult('SETFLAGS', setFlags(handle.fd, present | FS_NOATIME_FL));
      expectEqual('flags', getFlags(handle.fd) & OURS, FS_NOATIME_FL);
    },
  },
]);

export const fileFlags: readonly Check[] = [...carried, ...protection];
