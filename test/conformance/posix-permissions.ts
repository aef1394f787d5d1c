// Who may: owner, group, supplementary groups and others; sticky directories; set-id bits and inherited groups.

import {
  O_CREAT,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
  RENAME_EXCHANGE,
  S_IFIFO,
  S_IFREG,
  S_IFSOCK,
  UTIME_NOW,
  UTIME_OMIT,
} from '../../src/sys/index.js';
import { charDevice, dir, fifo, file, socket, symlink } from '../helpers/layer-spec.js';
import type { LayerNode, LayerSpec } from '../helpers/layer-spec.js';
import type { User } from '../helpers/native.js';
import type { Check } from './check.js';
import type { Ctx } from './ctx.js';
import { expectEqual } from './handle.js';
import type { Expected } from './handle.js';
import { ALICE, BOB, CAROL } from './users.js';

type Layers = Pick<Check, 'lower' | 'upper'>;

const byOrigin = (spec: LayerSpec, make: (layers: Layers, origin: string) => Check[]): Check[] => [
  ...make({ lower: [spec] }, 'lower'),
  ...make({ upper: spec }, 'upper'),
  ...make(
    { lower: [Object.fromEntries(Object.keys(spec).map((path) => [path, bare(spec[path]!)]))], upper: spec },
    'merged',
  ),
];

/** What an upper one hides: root's, closed to all. */
const bare = (node: LayerNode | string): LayerNode =>
  typeof node === 'object' && node.kind === 'dir' ? dir({ mode: 0o700 }) : file('hidden', { mode: 0 });

/** Each user with the only class of permission bits that counts for it. */
const CLASSES: readonly { readonly name: string; readonly user: User; readonly shift: number }[] = [
  { name: 'owner', user: ALICE, shift: 6 },
  { name: 'owner in the group', user: { ...ALICE, groups: [BOB.gid] }, shift: 6 },
  { name: 'group', user: { uid: CAROL.uid, gid: BOB.gid }, shift: 3 },
  { name: 'supplementary group', user: { ...CAROL, groups: [4711, BOB.gid, 4712] }, shift: 3 },
  { name: 'other', user: CAROL, shift: 0 },
];

const R = 4;
const W = 2;
const X = 1;
/** Each class alone, all but a class, and each right alone for each class. */
const MODES = [0o700, 0o070, 0o007, 0o077, 0o707, 0o421, 0o142, 0o214, 0o000];

const octal = (mode: number): string => mode.toString(8).padStart(3, '0');
const unless = (allowed: boolean, err = 'EACCES'): Expected => (allowed ? {} : { err });

const classes: readonly Check[] = byOrigin(
  Object.fromEntries(
    MODES.flatMap((mode): [string, LayerNode | string][] => [
      [`f${octal(mode)}`, file('content', { mode, uid: ALICE.uid, gid: BOB.gid })],
      [`d${octal(mode)}`, dir({ mode, uid: ALICE.uid, gid: BOB.gid })],
      [`d${octal(mode)}/x`, file('', { mode: 0o666 })],
    ]),
  ),
  (layers, origin) => {
    const files = (ctx: Ctx): void => {
      for (const mode of MODES) {
        for (const { user, shift } of CLASSES) {
          const may = (right: number): boolean => ((mode >> shift) & right) === right;
          const [f, by] = [`f${octal(mode)}`, ctx.as(user)];
          by.touch(f, O_RDONLY, unless(may(R)));
          by.touch(f, O_RDWR, unless(may(R | W)));
          by.access(f, R, unless(may(R)));
          by.access(f, W, unless(may(W)));
          by.access(f, X, unless(may(X)));
          by.access(f, 0);
          by.touch(f, O_WRONLY, unless(may(W)));
          by.touch(f, O_RDONLY | O_TRUNC, unless(may(R | W)));
          by.truncate(f, 3, unless(may(W)));
          const now = { sec: 0, nsec: UTIME_NOW };
          by.utimens(f, { atime: now, mtime: now }, unless(may(W) || user.uid === ALICE.uid));
        }
      }
    };
    const directories = (ctx: Ctx): void => {
      for (const mode of MODES) {
        for (const { user, shift } of CLASSES) {
          const may = (right: number): boolean => ((mode >> shift) & right) === right;
          const [d, by] = [`d${octal(mode)}`, ctx.as(user)];
          by.opendir(d, unless(may(R)));
          by.stat(d);
          by.stat(`${d}/x`, unless(may(X)));
          by.read(`${d}/x`, unless(may(X)));
          by.access(d, W | X, unless(may(W | X)));
          for (const name of ['moved', 'gone']) ctx.create(`${d}/${name}`);
          ctx.mkdir(`${d}/empty`);
          by.create(`${d}/new`, '', unless(may(W | X)));
          by.mkdir(`${d}/dir`, unless(may(W | X)));
          by.mknod(`${d}/p`, S_IFIFO | 0o600, unless(may(W | X)));
          by.symlink('t', `${d}/l`, unless(may(W | X)));
          by.rename(`${d}/moved`, `${d}/x`, unless(may(W | X)));
          by.unlink(`${d}/gone`, unless(may(W | X)));
          by.rmdir(`${d}/empty`, unless(may(W | X)));
          for (const name of ctx.list(d).filter((name) => name !== 'x')) {
            if (['dir', 'empty'].includes(name)) ctx.rmdir(`${d}/${name}`);
            else ctx.unlink(`${d}/${name}`);
          }
        }
      }
    };
    return [
      { name: `the first class that fits decides about a file, ${origin}`, ...layers, run: files },
      {
        name: `the first class that fits decides about a file, ${origin}, after copy-up`,
        ...layers,
        run: (ctx) => {
          for (const mode of MODES) ctx.chmod(`f${octal(mode)}`, mode);
          files(ctx);
        },
      },
      { name: `the first class that fits decides about a directory, ${origin}`, ...layers, run: directories },
    ];
  },
);

const OWNERS: Readonly<Record<string, User>> = { root: { uid: 0, gid: 0 }, alice: ALICE, bob: BOB };
const THINGS: Readonly<Record<string, (owner: User) => LayerNode>> = {
  file: ({ uid, gid }) => file('x', { uid, gid, mode: 0o666 }),
  dir: ({ uid, gid }) => dir({ uid, gid, mode: 0o777 }),
  symlink: ({ uid, gid }) => symlink('nowhere', { uid, gid }),
  fifo: ({ uid, gid }) => fifo({ uid, gid, mode: 0o666 }),
};
const SLOTS = ['remove', 'away', 'within', 'target', 'exchange'] as const;

/** A sticky directory for each owner, a thing of each kind and owner for each operation; ALICE goes about them. */
const stickySpec: LayerSpec = {
  open: dir({ mode: 0o777 }),
  ...Object.fromEntries(
    Object.entries(OWNERS).flatMap(([place, { uid, gid }]) => [
      [place, dir({ mode: 0o1777, uid, gid })] as const,
      ...Object.entries(OWNERS).flatMap(([name, owner]) =>
        Object.entries(THINGS).flatMap(([thing, make]) => [
          ...SLOTS.map((slot) => [`${place}/${thing}-${name}-${slot}`, make(owner)] as const),
          [`open/${place}-${thing}-${name}`, make(ALICE)] as const,
          [`open/${place}-${thing}-${name}-exchange`, make(ALICE)] as const,
        ]),
      ),
    ]),
  ),
};

const sticky: readonly Check[] = byOrigin(stickySpec, (layers, origin) => [
  {
    name: `in a sticky directory only its owner and that of the thing remove and move it, ${origin}`,
    ...layers,
    run: (ctx) => {
      const alice = ctx.as(ALICE);
      for (const place of Object.keys(OWNERS)) {
        for (const owner of Object.keys(OWNERS)) {
          for (const thing of Object.keys(THINGS)) {
            const at = `${place}/${thing}-${owner}`;
            const allowed = place === 'alice' || owner === 'alice';
            const expected = unless(allowed, 'EPERM');
            if (thing === 'dir') alice.rmdir(`${at}-remove`, expected);
            else alice.unlink(`${at}-remove`, expected);
            // A directory of another can not get another parent either: `..` in it would have to be written, and may be.
            alice.rename(`${at}-away`, `open/away-${place}-${thing}-${owner}`, expected);
            alice.rename(`${at}-within`, `${at}-moved`, expected);
            alice.rename(`open/${place}-${thing}-${owner}`, `${at}-target`, expected);
            alice.rename(`open/${place}-${thing}-${owner}-exchange`, `${at}-exchange`, {
              ...expected,
              flags: RENAME_EXCHANGE,
            });
          }
        }
      }
    },
  },
  {
    name: `root and a directory without the sticky bit are free, ${origin}`,
    ...layers,
    run: (ctx) => {
      ctx.unlink('bob/file-alice-remove');
      ctx.rename('alice/dir-bob-away', 'open/x');
      ctx.chmod('root', 0o777);
      ctx.as(ALICE).unlink('root/file-bob-remove');
      ctx.as(ALICE).rmdir('root/dir-root-remove');
      ctx.as(ALICE).rename('root/file-bob-away', 'open/y');
    },
  },
]);

const owned: LayerSpec = {
  from: file('from', { mode: 0o444 }),
  f: file('content', { mode: 0o666, uid: ALICE.uid, gid: ALICE.gid }),
  d: dir({ mode: 0o777, uid: ALICE.uid, gid: ALICE.gid }),
  p: fifo({ mode: 0o666, uid: ALICE.uid, gid: ALICE.gid }),
  s: socket({ mode: 0o666, uid: ALICE.uid, gid: ALICE.gid }),
  l: symlink('f', { uid: ALICE.uid, gid: ALICE.gid }),
};
const ALL = ['f', 'd', 'p', 's'] as const;
const NOW = { sec: 0, nsec: UTIME_NOW };
const OMIT = { sec: 0, nsec: UTIME_OMIT };
const THEN = { sec: 1, nsec: 0 };

const attributes: readonly Check[] = byOrigin(owned, (layers, origin) => [
  {
    name: `only the owner changes the mode, ${origin}`,
    ...layers,
    run: (ctx) => {
      for (const name of ALL) {
        for (const user of [BOB, { ...BOB, groups: [ALICE.gid] }, { uid: BOB.uid, gid: ALICE.gid }])
          ctx.as(user).chmod(name, 0o777, { err: 'EPERM' });
        ctx.expectStat(name, { mode: name === 'd' ? 0o777 : 0o666 });
        ctx.as(ALICE).chmod(name, 0o1751);
        ctx.expectStat(name, { mode: 0o1751 });
      }
    },
  },
  {
    name: `only root gives away, and the owner changes the group to one of its own, ${origin}`,
    ...layers,
    run: (ctx) => {
      for (const name of [...ALL, 'l']) {
        const by = (user: User) => (uid: number, gid: number, expected?: Expected) =>
          ctx.as(user).lchown(name, uid, gid, expected);
        const member = { ...ALICE, groups: [4711, BOB.gid] };
        for (const user of [ALICE, BOB]) {
          by(user)(BOB.uid, -1, { err: 'EPERM' });
          by(user)(-1, 4711, { err: 'EPERM' });
        }
        by(BOB)(ALICE.uid, ALICE.gid, { err: 'EPERM' });
        by(BOB)(-1, -1);
        by(ALICE)(ALICE.uid, ALICE.gid);
        by(member)(-1, BOB.gid);
        ctx.expectStat(name, { uid: ALICE.uid, gid: BOB.gid });
        by(member)(ALICE.uid, 4711);
        by(member)(BOB.uid, 4711, { err: 'EPERM' });
        ctx.expectStat(name, { uid: ALICE.uid, gid: 4711 });
        // The group that it has is not one of its owner's, and stays.
        by(ALICE)(-1, 4711);
        ctx.lchown(name, 0, 0);
        by(ALICE)(ALICE.uid, -1, { err: 'EPERM' });
      }
    },
  },
  {
    name: `only the owner sets times, and who may write sets them to now, ${origin}`,
    ...layers,
    run: (ctx) => {
      for (const name of ['f', 'd', 'p']) {
        ctx.as(BOB).utimens(name, { atime: THEN, mtime: THEN }, { err: 'EPERM' });
        ctx.as(BOB).utimens(name, { atime: THEN, mtime: NOW }, { err: 'EPERM' });
        ctx.as(BOB).utimens(name, { atime: OMIT, mtime: NOW }, { err: 'EPERM' });
        ctx.as(BOB).utimens(name, { atime: OMIT, mtime: OMIT });
        ctx.as(BOB).utimens(name, { atime: NOW, mtime: NOW });
        ctx.chmod(name, 0o755);
        ctx.as(BOB).utimens(name, { atime: NOW, mtime: NOW }, { err: 'EACCES' });
        ctx.as(ALICE).utimens(name, { atime: THEN, mtime: THEN });
        ctx.chmod(name, 0);
        ctx.as(ALICE).utimens(name, { atime: NOW, mtime: NOW });
        ctx.as(ALICE).utimens(name, { atime: THEN, mtime: THEN });
        ctx.expectStat(name, { mtime: '1.000000000' });
        ctx.utimens(name, { atime: { sec: 1, nsec: 1_000_000_000 }, mtime: THEN }, { err: 'EINVAL' });
        ctx.utimens(name, { atime: THEN, mtime: { sec: 1, nsec: -1 } }, { err: 'EINVAL' });
      }
    },
  },
  {
    name: `times before 1970, after 2038 and after 2106, ${origin}`,
    ...layers,
    run: (ctx) => {
      for (const name of [...ALL, 'l']) {
        for (const sec of [-2_147_483_647, -1, 0, 2_147_483_648, 4_294_967_296, 15_032_385_534]) {
          ctx.utimens(name, { atime: { sec, nsec: 1 }, mtime: { sec, nsec: 999_999_999 } });
          ctx.expectStat(name, { atime: `${String(sec)}.000000001`, mtime: `${String(sec)}.999999999` });
        }
      }
    },
  },
  {
    name: `a chown by its owner takes setuid and setgid of all but directories, ${origin}`,
    ...layers,
    run: (ctx) => {
      const member = { ...ALICE, groups: [BOB.gid] };
      for (const name of ALL) {
        for (const [mode, left] of [
          [0o6777, 0o777],
          [0o4755, 0o755],
          [0o2755, 0o755],
          [0o1755, 0o1755],
        ] as const) {
          for (const gid of [BOB.gid, -1]) {
            ctx.chown(name, ALICE.uid, ALICE.gid);
            ctx.chmod(name, mode);
            ctx.as(member).chown(name, ALICE.uid, gid);
            ctx.expectStat(name, { mode: name === 'd' ? mode : left });
          }
        }
      }
    },
  },
  {
    name: `a chown of nothing takes no setuid and setgid of the files of others, ${origin}`,
    ...layers,
    run: (ctx) => {
      for (const name of ALL) {
        for (const mode of [0o6777, 0o4777, 0o2777, 0o4666, 0o1777, 0o777]) {
          ctx.chmod(name, mode);
          const refused = name !== 'd' && (mode & 0o6000) !== 0;
          for (const user of [BOB, { ...BOB, groups: [ALICE.gid] }, { uid: BOB.uid, gid: ALICE.gid }])
            ctx.as(user).chown(name, -1, -1, refused ? { err: 'EPERM' } : {});
          ctx.expectStat(name, { mode, uid: ALICE.uid, gid: ALICE.gid });
        }
      }
    },
  },
  {
    name: `setgid without the right to execute is taken by a chown of an owner outside the group, ${origin}`,
    ...layers,
    run: (ctx) => {
      ctx.chown('f', ALICE.uid, BOB.gid);
      ctx.chmod('f', 0o2666);
      ctx.as(ALICE).chown('f', -1, ALICE.gid);
      ctx.expectStat('f', { mode: 0o666, gid: ALICE.gid });
    },
  },
  {
    name: `setgid without the right to execute is kept by a chown of a member only, ${origin}`,
    ...layers,
    run: (ctx) => {
      const member = { ...ALICE, groups: [BOB.gid] };
      ctx.chmod('f', 0o2666);
      ctx.as(member).chown('f', -1, BOB.gid);
      ctx.expectStat('f', { mode: 0o2666, gid: BOB.gid });
      ctx.chmod('f', 0o6644);
      ctx.chown('f', BOB.uid, BOB.gid);
      ctx.expectStat('f', { mode: 0o2644 });
    },
  },
  {
    name: `a chmod by an owner outside the group takes setgid, not of directories alone, ${origin}`,
    ...layers,
    run: (ctx) => {
      for (const name of ALL) {
        ctx.chown(name, ALICE.uid, BOB.gid);
        ctx.as(ALICE).chmod(name, 0o2755);
        ctx.expectStat(name, { mode: 0o755 });
        ctx.as({ ...ALICE, groups: [BOB.gid] }).chmod(name, 0o2755);
        ctx.expectStat(name, { mode: 0o2755 });
        ctx.chmod(name, 0o6755);
        ctx.expectStat(name, { mode: 0o6755 });
      }
    },
  },
]);

/** What takes set-id bits of a file; 0 bytes written take none. */
const WRITES: Readonly<Record<string, (ctx: Ctx) => void>> = {
  write: (ctx) => ctx.append('f', '!'),
  pwrite: (ctx) => ctx.open('f', O_RDWR).pwrite(2, '!'),
  truncate: (ctx) => ctx.truncate('f', 3),
  'truncate to the same size': (ctx) => ctx.truncate('f', 7),
  ftruncate: (ctx) => ctx.open('f', O_WRONLY).truncate(3),
  O_TRUNC: (ctx) => ctx.touch('f', O_WRONLY | O_TRUNC),
  fallocate: (ctx) => ctx.open('f', O_RDWR).fallocate(0, 0, 99),
  copy_file_range: (ctx) => void ctx.open('from', O_RDONLY).copyTo(ctx.open('f', O_RDWR), 4),
};

const setIds: readonly Check[] = byOrigin(owned, (layers, origin) =>
  Object.entries(WRITES).map(([call, write]) => ({
    name: `${call} by another takes setuid and setgid, and by root none, ${origin}`,
    ...layers,
    run: (ctx) => {
      for (const [mode, left] of [
        [0o6777, 0o777],
        [0o4777, 0o777],
        [0o2777, 0o777],
        [0o4666, 0o666],
        [0o1777, 0o1777],
        [0o666, 0o666],
      ] as const) {
        for (const user of [BOB, ALICE, { ...BOB, groups: [ALICE.gid] }]) {
          ctx.chmod('f', mode);
          write(ctx.as(user));
          expectEqual(`mode ${octal(mode)} after ${call}`, octal(ctx.stat('f').mode), octal(left));
        }
        ctx.chmod('f', mode);
        write(ctx);
        expectEqual(`mode ${octal(mode)} after ${call} by root`, octal(ctx.stat('f').mode), octal(mode));
      }
    },
  })),
);

const inheriting: LayerSpec = {
  g: dir({ mode: 0o2777, uid: 0, gid: BOB.gid }),
  'g/sub': dir({ mode: 0o777, uid: 0, gid: 4711 }),
  plain: dir({ mode: 0o777, uid: 0, gid: BOB.gid }),
};

const inherited: readonly Check[] = byOrigin(inheriting, (layers, origin) => [
  {
    name: `a setgid directory gives its group to all, and its bit to directories, ${origin}`,
    ...layers,
    run: (ctx) => {
      const alice = ctx.as(ALICE);
      alice.create('g/f', '', { mode: 0o666 });
      alice.mkdir('g/d', { mode: 0o777 });
      alice.mkdir('g/d/deep');
      alice.mknod('g/p', S_IFIFO | 0o644);
      alice.mknod('g/s', S_IFSOCK | 0o644);
      alice.mknod('g/r', S_IFREG | 0o644);
      alice.symlink('x', 'g/l');
      for (const name of ['f', 'd', 'd/deep', 'p', 's', 'r', 'l'])
        ctx.expectStat(`g/${name}`, { uid: ALICE.uid, gid: BOB.gid });
      for (const name of ['d', 'd/deep']) ctx.expectStat(`g/${name}`, { mode: 0o2755 });
      for (const name of ['f', 'p', 's', 'r']) ctx.expectStat(`g/${name}`, { mode: 0o644 });
      alice.create('plain/f');
      ctx.expectStat('plain/f', { gid: ALICE.gid });
      alice.create('g/sub/f');
      ctx.expectStat('g/sub/f', { gid: ALICE.gid });
    },
  },
  {
    name: `a file made setgid by somebody outside the group is not, ${origin}`,
    ...layers,
    run: (ctx) => {
      const modes = (user: User, name: string, left: number): void => {
        ctx.umask(0, () => {
          ctx.as(user).create(`g/${name}`, '', { mode: 0o6775 });
          ctx.as(user).mknod(`g/${name}-node`, S_IFREG | 0o2775);
          ctx.as(user).create(`g/${name}-noexec`, '', { mode: 0o2664 });
        });
        ctx.expectStat(`g/${name}`, { mode: left, gid: BOB.gid });
        ctx.expectStat(`g/${name}-node`, { mode: left & 0o2775 });
        ctx.expectStat(`g/${name}-noexec`, { mode: 0o2664 });
      };
      modes(ALICE, 'outside', 0o4775);
      modes({ ...ALICE, groups: [BOB.gid] }, 'member', 0o6775);
      modes(BOB, 'group', 0o6775);
      modes({ uid: 0, gid: 0 }, 'root', 0o6775);
    },
  },
  {
    name: `a rename keeps the group, a link the file, ${origin}`,
    ...layers,
    run: (ctx) => {
      const alice = ctx.as(ALICE);
      alice.create('plain/f');
      alice.rename('plain/f', 'g/f');
      alice.link('g/f', 'g/h');
      ctx.expectStat('g/f', { gid: ALICE.gid, nlink: 2 });
      alice.mkdir('plain/d');
      alice.rename('plain/d', 'g/d');
      ctx.expectStat('g/d', { gid: ALICE.gid, mode: 0o755 });
    },
  },
  {
    name: `a user that makes devices is refused, ${origin}`,
    ...layers,
    run: (ctx) => {
      ctx.as(ALICE).mknod('plain/c', 0o020666, { rdev: 0x0103, err: 'EPERM' });
      ctx.as(ALICE).mknod('plain/b', 0o060666, { rdev: 0x0103, err: 'EPERM' });
      ctx.as(ALICE).touch('plain/c', O_WRONLY | O_CREAT);
    },
  },
]);

const devices: readonly Check[] = byOrigin(
  {
    c: { ...(charDevice(1, 3) as object), mode: 0o666 } as LayerNode,
    full: { ...(charDevice(1, 7) as object), mode: 0o600 } as LayerNode,
  },
  (layers, origin) => [
    {
      name: `a device is the device, for whom its mode lets, ${origin}`,
      ...layers,
      run: (ctx) => {
        const handle = ctx.as(ALICE).open('c', O_RDWR);
        handle.write('gone');
        expectEqual('read', handle.read(10), '');
        ctx.as(ALICE).touch('full', O_WRONLY, { err: 'EACCES' });
        ctx.open('full', O_WRONLY).write('x', { err: 'ENOSPC' });
        ctx.chmod('full', 0o666);
        ctx.as(ALICE).open('full', O_WRONLY).write('x', { err: 'ENOSPC' });
      },
    },
  ],
);

export const posixPermissions: readonly Check[] = [
  ...classes,
  ...sticky,
  ...attributes,
  ...setIds,
  ...inherited,
  ...devices,
];
