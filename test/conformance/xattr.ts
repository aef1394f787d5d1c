// Extended attributes: user, trusted, security, ACLs; their errors; and what of them is the overlay's own.

import { XATTR_CREATE, XATTR_REPLACE } from '../../src/sys/index.js';
import { dir, fifo, file, opaque, symlink } from '../helpers/layer-spec.js';
import { ACL_ACCESS, ACL_DEFAULT, acl } from './acl.js';
import type { Check } from './check.js';
import type { Ctx } from './ctx.js';
import { expectEqual } from './handle.js';
import { ALICE, BOB } from './users.js';

const xattrs = { 'user.a': '1', 'user.b': '', 'trusted.t': 'T', 'security.s': 'S' };
const things = { f: file('x', { xattrs }), d: dir({ xattrs }) };
const NAMES = Object.keys(xattrs);

/** VFS_CAP_REVISION_2 with cap_net_raw, permitted and effective. */
const CAPABILITY = Buffer.from('0100000200200000000000000000000000000000', 'hex');

const byOrigin = (make: (layers: Pick<Check, 'lower' | 'upper'>, origin: string) => Check[]): Check[] => [
  ...make({ lower: [things] }, 'lower'),
  ...make({ upper: things }, 'upper'),
];

const basic: readonly Check[] = byOrigin((layers, origin) =>
  ['f', 'd'].flatMap((name): Check[] => [
    {
      name: `listing and reading of '${name}', ${origin}`,
      ...layers,
      run: (ctx) => {
        ctx.expectXattrNames(name, NAMES);
        ctx.expectXattr(name, 'user.a', '1');
        ctx.expectXattr(name, 'user.b', '');
        ctx.getxattr(name, 'user.none', { err: 'ENODATA' });
        ctx.removexattr(name, 'user.none', { err: 'ENODATA' });
      },
    },
    {
      name: `setting, replacing and removing of '${name}', ${origin}`,
      ...layers,
      run: (ctx) => {
        ctx.setxattr(name, 'user.a', '2');
        ctx.expectXattr(name, 'user.a', '2');
        ctx.setxattr(name, 'user.a', '3', { flags: XATTR_CREATE, err: 'EEXIST' });
        ctx.setxattr(name, 'user.c', '3', { flags: XATTR_REPLACE, err: 'ENODATA' });
        ctx.setxattr(name, 'user.c', '3', { flags: XATTR_CREATE });
        ctx.setxattr(name, 'user.c', 'more', { flags: XATTR_REPLACE });
        ctx.removexattr(name, 'user.b');
        ctx.expectXattrNames(name, [...NAMES.filter((key) => key !== 'user.b'), 'user.c']);
        ctx.setxattr(name, 'trusted.new', Buffer.from([0, 255, 10]));
        expectEqual('bytes', ctx.getxattr(name, 'trusted.new').toString('hex'), '00ff0a');
        ctx.removexattr(name, 'security.s');
        ctx.getxattr(name, 'security.s', { err: 'ENODATA' });
      },
    },
    {
      name: `who may set what on '${name}', ${origin}`,
      ...layers,
      run: (ctx) => {
        ctx.chown(name, ALICE.uid, ALICE.gid);
        ctx.as(BOB).setxattr(name, 'user.bob', 'x', { err: 'EACCES' });
        ctx.as(BOB).expectXattr(name, 'user.a', '1');
        ctx.as(ALICE).setxattr(name, 'user.alice', 'x');
        ctx.as(ALICE).setxattr(name, 'trusted.alice', 'x', { err: 'EPERM' });
        ctx.as(ALICE).getxattr(name, 'trusted.t', { err: 'ENODATA' });
        ctx.chmod(name, 0o700);
        ctx.as(BOB).getxattr(name, 'user.a', { err: 'EACCES' });
      },
    },
  ]),
);

const kinds: readonly Check[] = [
  {
    name: 'symlinks and fifos have no user attributes, but trusted ones',
    lower: [{ l: symlink('nowhere'), p: fifo() }],
    run: (ctx) => {
      for (const name of ['l', 'p']) {
        ctx.setxattr(name, 'user.x', 'x', { err: 'EPERM' });
        ctx.setxattr(name, 'trusted.x', 'x');
        ctx.expectXattr(name, 'trusted.x', 'x');
      }
    },
  },
  {
    name: 'names and values out of bounds',
    lower: [{ f: '' }],
    run: (ctx) => {
      ctx.setxattr('f', `user.${'n'.repeat(250)}`, 'x');
      ctx.setxattr('f', `user.${'n'.repeat(251)}`, 'x', { err: 'ERANGE' });
      ctx.setxattr('f', 'user.big', 'x'.repeat(65_537), { err: 'E2BIG' });
      ctx.setxattr('f', 'nonsense.x', 'x', { err: 'EOPNOTSUPP' });
      ctx.setxattr('f', 'user.', 'x', { err: 'EINVAL' });
      ctx.setxattr('missing', 'user.x', 'x', { err: 'ENOENT' });
    },
  },
  {
    name: 'a file capability stays with its file over copy-up, and goes with a write',
    lower: [{ f: file('x', { mode: 0o755, xattrs: { 'security.capability': CAPABILITY } }) }],
    run: (ctx) => {
      ctx.chmod('f', 0o711);
      expectEqual('capability', ctx.getxattr('f', 'security.capability').toString('hex'), CAPABILITY.toString('hex'));
      ctx.append('f', 'y');
      ctx.getxattr('f', 'security.capability', { err: 'ENODATA' });
    },
  },
  {
    name: 'a file capability goes with chown',
    lower: [{ f: file('x', { mode: 0o755, xattrs: { 'security.capability': CAPABILITY } }) }],
    run: (ctx) => {
      ctx.chown('f', 5, 5);
      ctx.getxattr('f', 'security.capability', { err: 'ENODATA' });
    },
  },
  {
    name: 'a file capability can be given and taken again and again, to new files, lower ones and their links',
    lower: [{ f: file('x', { mode: 0o755 }) }],
    run: (ctx) => {
      ctx.create('new', 'x');
      ctx.chmod('new', 0o755);
      for (const name of ['f', 'new']) {
        ctx.link(name, `${name}-link`);
        for (let round = 0; round < 3; round += 1) {
          ctx.getxattr(name, 'security.capability', { err: 'ENODATA' });
          ctx.setxattr(round === 1 ? `${name}-link` : name, 'security.capability', CAPABILITY);
          expectEqual(name, ctx.getxattr(name, 'security.capability').toString('hex'), CAPABILITY.toString('hex'));
          ctx.setxattr(name, 'security.capability', CAPABILITY);
          if (round === 0) ctx.removexattr(name, 'security.capability');
          else if (round === 1) ctx.chown(name, 5, 5);
          else ctx.append(name, 'y');
        }
        ctx.getxattr(name, 'security.capability', { err: 'ENODATA' });
      }
    },
  },
  {
    name: 'attributes survive every copy-up and rename',
    lower: [{ f: file('x', { xattrs }), 'd/in': '', d: dir({ xattrs }) }],
    run: (ctx) => {
      ctx.append('f', 'y');
      ctx.expectXattrNames('f', NAMES);
      ctx.rename('d', 'e');
      ctx.expectXattrNames('e', NAMES);
      ctx.rename('f', 'e/f');
      ctx.expectXattrNames('e/f', NAMES);
    },
  },
];

const internal: readonly Check[] = [
  {
    name: 'the marks of the overlay itself do not show',
    lower: [{ 'd/old': '', r: dir(), 'r/x': '', f: 'x' }],
    upper: { d: opaque() },
    run: (ctx) => {
      ctx.append('f', 'y');
      ctx.rename('r', 'renamed');
      ctx.rmdir('d');
      ctx.mkdir('d');
      for (const name of ['d', 'renamed', 'f']) ctx.expectXattrNames(name, []);
      for (const key of ['opaque', 'redirect', 'origin', 'impure', 'nlink', 'metacopy']) {
        ctx.getxattr('d', `trusted.overlay.${key}`, { err: 'ENODATA' });
        ctx.getxattr('renamed', `trusted.overlay.${key}`, { err: 'ENODATA' });
      }
    },
  },
  {
    name: "a user's own trusted.overlay attributes are kept apart from the overlay's",
    lower: [{ 'd/old': '' }],
    run: (ctx) => {
      ctx.setxattr('d', 'trusted.overlay.opaque', 'y');
      ctx.expectXattr('d', 'trusted.overlay.opaque', 'y');
      ctx.expectXattrNames('d', ['trusted.overlay.opaque']);
      ctx.expectList('d', ['old']);
      ctx.removexattr('d', 'trusted.overlay.opaque');
      ctx.expectXattrNames('d', []);
    },
  },
  {
    name: 'user.overlay attributes are ordinary ones',
    lower: [{ 'd/old': '' }],
    run: (ctx) => {
      ctx.setxattr('d', 'user.overlay.opaque', 'n');
      ctx.expectXattr('d', 'user.overlay.opaque', 'n');
      ctx.expectList('d', ['old']);
    },
  },
];

const rwForBob = acl({ user: 6, group: 4, mask: 7, other: 0, users: { [BOB.uid]: 6 } });

const inherited = acl({ user: 7, group: 5, mask: 7, other: 0, users: { [BOB.uid]: 7 } });

const acls: readonly Check[] = [
  ...(['lower', 'upper'] as const).flatMap((origin) => {
    const gone = { 'd/f': 'old', 'd/sub': dir(), 'd/p': 'old', 'd/l': 'old' };
    const d = dir({ mode: 0o2777, gid: ALICE.gid, xattrs: { [ACL_DEFAULT]: inherited } });
    return [
      {
        name: `a default ACL is inherited where another file was, ${origin}`,
        ...(origin === 'lower' ? { lower: [{ d, ...gone }] } : { lower: [gone], upper: { d } }),
        run: (ctx: Ctx) => {
          for (const name of ['f', 'p', 'l']) ctx.unlink(`d/${name}`);
          ctx.rmdir('d/sub');
          const bob = ctx.as(BOB);
          ctx.umask(0o077, () => {
            bob.create('d/f', 'x', { mode: 0o666 });
            bob.mkdir('d/sub', { mode: 0o777 });
            bob.mknod('d/p', 0o010666);
            bob.symlink('t', 'd/l');
          });
          ctx.expectStat('d/f', { mode: 0o660, uid: BOB.uid, gid: ALICE.gid });
          ctx.expectStat('d/sub', { mode: 0o2770, uid: BOB.uid, gid: ALICE.gid });
          ctx.expectStat('d/p', { mode: 0o660 });
          ctx.expectXattrNames('d/f', [ACL_ACCESS]);
          expectEqual('ACL', ctx.getxattr('d/sub', ACL_DEFAULT).toString('hex'), inherited.toString('hex'));
          ctx.expectXattrNames('d/l', []);
          ctx.as(ALICE).read('d/f');
          ctx.as({ uid: 5000, gid: 5000 }).read('d/f', { err: 'EACCES' });
        },
      },
    ];
  }),
  {
    name: 'an ACL lets another in, before and after copy-up',
    lower: [{ f: file('x', { mode: 0o640, xattrs: { [ACL_ACCESS]: rwForBob } }) }],
    run: (ctx) => {
      ctx.as(ALICE).read('f', { err: 'EACCES' });
      ctx.as(BOB).expectContent('f', 'x');
      ctx.as(BOB).append('f', 'y');
      ctx.as(ALICE).read('f', { err: 'EACCES' });
      ctx.as(BOB).expectContent('f', 'xy');
      expectEqual('ACL', ctx.getxattr('f', ACL_ACCESS).toString('hex'), rwForBob.toString('hex'));
    },
  },
  {
    name: 'setting an ACL changes the mode, and chmod the mask',
    lower: [{ f: file('x', { mode: 0o600 }) }],
    run: (ctx) => {
      ctx.setxattr('f', ACL_ACCESS, rwForBob);
      ctx.expectStat('f', { mode: 0o670 });
      ctx.as(BOB).expectContent('f', 'x');
      ctx.chmod('f', 0o600);
      ctx.as(BOB).read('f', { err: 'EACCES' });
      ctx.removexattr('f', ACL_ACCESS);
      ctx.expectXattrNames('f', []);
    },
  },
  {
    name: 'an ACL equal to a mode becomes one',
    lower: [{ f: file('x', { mode: 0o600 }) }],
    run: (ctx) => {
      ctx.setxattr('f', ACL_ACCESS, acl({ user: 7, group: 5, other: 4 }));
      ctx.expectStat('f', { mode: 0o754 });
      ctx.expectXattrNames('f', []);
    },
  },
  {
    name: 'a default ACL is inherited, and the umask is not asked',
    lower: [
      { d: dir({ xattrs: { [ACL_DEFAULT]: acl({ user: 7, group: 5, mask: 7, other: 0, users: { [BOB.uid]: 7 } }) } }) },
    ],
    run: (ctx) => {
      ctx.umask(0o077, () => {
        ctx.create('d/f', 'x', { mode: 0o666 });
        ctx.mkdir('d/sub', { mode: 0o777 });
        ctx.mknod('d/p', 0o010666);
      });
      ctx.expectStat('d/f', { mode: 0o660 });
      ctx.expectStat('d/sub', { mode: 0o770 });
      ctx.expectStat('d/p', { mode: 0o660 });
      ctx.expectXattrNames('d/f', [ACL_ACCESS]);
      ctx.expectXattrNames('d/sub', [ACL_ACCESS, ACL_DEFAULT]);
      ctx.as(BOB).append('d/f', 'y');
      ctx.symlink('t', 'd/l');
      ctx.expectXattrNames('d/l', []);
    },
  },
  {
    name: 'an ACL is set by its owner only, a default one on directories only',
    lower: [{ f: file('x', { uid: ALICE.uid }), d: dir() }],
    run: (ctx) => {
      ctx.as(BOB).setxattr('f', ACL_ACCESS, rwForBob, { err: 'EPERM' });
      ctx.as(ALICE).setxattr('f', ACL_ACCESS, rwForBob);
      ctx.setxattr('f', ACL_DEFAULT, rwForBob, { err: 'EACCES' });
      ctx.setxattr('f', ACL_ACCESS, Buffer.from('nonsense'), { err: 'EOPNOTSUPP' });
    },
  },
];

export const xattr: readonly Check[] = [...basic, ...kinds, ...internal, ...acls];
