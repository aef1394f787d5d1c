// How many requests each operation costs: what the client waits for. A count is the same on every machine. The kernel's
// caches are warm, unless an operation makes something new; the mount is writable, and its user root.

import { execFileSync } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  renameSync,
  rmdirSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { opcode, opcodeName } from '../../src/fuse/wire/abi.js';
import { backendGate, logFileOf, loggedErrors, stage } from '../helpers/backends.js';
import type { OverlayDoor, Staged } from '../helpers/backends.js';
import { buildWithLibc } from '../helpers/build-with-libc.js';
import { file } from '../helpers/layer-spec.js';
import type { LayerSpec } from '../helpers/layer-spec.js';
import { stat, truncate } from '../helpers/native.js';
import { tempDir } from '../helpers/tmp.js';

/** Requests that nobody waits for. */
const UNANSWERED: ReadonlySet<number> = new Set([opcode.FORGET, opcode.BATCH_FORGET, opcode.RELEASE, opcode.INTERRUPT]);

/** 1,000 names of 8 take 160,000 bytes (fuse_direntplus: 152 + 8), and readdir(3) asks for 32 KiB at a time. */
const MANY = Array.from({ length: 1000 }, (_, n) => `name${String(n).padStart(4, '0')}`);

const LOWER: LayerSpec = {
  'd/file': file('content'),
  'd/program': file(readFileSync('/bin/true'), { mode: 0o755 }),
  ...Object.fromEntries(MANY.map((name) => [`many/${name}`, file(name)])),
  ...Object.fromEntries(['chmod', 'chown', 'utimens', 'truncate', 'unlink'].map((name) => [`d/l-${name}`, file(name)])),
};
const UPPER: LayerSpec = {
  'd/own': file('own'),
  'd/empty/below': file(''),
  ...Object.fromEntries(
    ['chmod', 'chown', 'utimens', 'truncate', 'unlink', 'from', 'link'].map((n) => [`d/${n}`, file(n)]),
  ),
};

interface Budget {
  readonly name: string;
  /** What is to be done before; its requests do not count. */
  readonly before?: (root: string) => void;
  readonly act: (root: string) => void;
  /** The requests, in order. */
  readonly costs: readonly (keyof typeof opcode)[];
}

let open = -1;

const statAll = (dir: string): void => {
  for (const name of readdirSync(dir)) stat(`${dir}/${name}`);
};

/** Done before, so that the kernel knows; twice, since the first read of a page makes the access time unknown. */
const again = (act: (root: string) => void): Pick<Budget, 'before' | 'act'> => ({
  before: (root) => {
    for (const _ of [1, 2]) act(root);
  },
  act,
});

const BUDGETS: readonly Budget[] = [
  { name: 'stat of a known name', ...again((root) => stat(`${root}/d/file`)), costs: [] },
  {
    name: 'access of a known name',
    ...again((root) => {
      accessSync(`${root}/d/file`);
    }),
    costs: [],
  },
  { name: 'stat of a known missing name', ...again((root) => existsSync(`${root}/d/missing`)), costs: [] },
  { name: 'open, read and close', ...again((root) => readFileSync(`${root}/d/file`)), costs: ['OPEN'] },
  {
    name: 'reading an open file',
    before: (root) => {
      open = openSync(`${root}/d/own`, 'r+');
    },
    act: () => readSync(open, Buffer.alloc(10), 0, 3, 0),
    costs: [],
  },
  // file capabilities again
  { name: 'the first write to a file', act: () => writeSync(open, 'data', 0), costs: ['GETXATTR'] },
  { name: 'writing an open file', act: () => writeSync(open, 'more', 4), costs: [] },
  {
    name: 'closing it',
    act: () => {
      closeSync(open);
    },
    costs: [],
  },
  // get_file_caps asks at each execve, except on a mount with nosuid.
  { name: 'running a program', ...again((root) => execFileSync(`${root}/d/program`)), costs: ['OPEN', 'GETXATTR'] },
  {
    name: 'listing 1,000 names with their attributes',
    act: (root) => {
      statAll(`${root}/many`);
    },
    costs: Array.from({ length: 6 }, () => 'READDIRPLUS' as const),
  },
  {
    // fuse_readdir_uncached makes the directory's own access time unknown, and opendir(3) asks for it.
    name: 'listing them a second time',
    act: (root) => {
      statAll(`${root}/many`);
    },
    costs: ['GETATTR'],
  },
  {
    name: 'listing them from then on',
    act: (root) => {
      statAll(`${root}/many`);
    },
    costs: [],
  },
  {
    // The first write asks for file capabilities (cap_inode_need_killpriv): fuse_change_attributes_common has cleared S_NOSEC.
    name: 'create, write and close',
    act: (root) => {
      writeFileSync(`${root}/d/new`, 'new');
    },
    costs: ['LOOKUP', 'CREATE', 'GETXATTR'],
  },
  {
    // fuse_dir_changed makes all attributes unknown, and fuse_permission asks for the mode.
    name: 'the next look into a directory that was changed',
    act: (root) => stat(`${root}/d/file`),
    costs: ['GETATTR'],
  },
  {
    name: 'mkdir',
    act: (root) => {
      mkdirSync(`${root}/d/dir`);
    },
    costs: ['LOOKUP', 'MKDIR'],
  },
  {
    name: 'symlink',
    before: (root) => stat(`${root}/d/own`),
    act: (root) => {
      symlinkSync('own', `${root}/d/symlink`);
    },
    costs: ['LOOKUP', 'SYMLINK'],
  },
  {
    name: 'link',
    before: (root) => stat(`${root}/d/link`),
    act: (root) => {
      linkSync(`${root}/d/link`, `${root}/d/link2`);
    },
    costs: ['LOOKUP', 'LINK'],
  },
  {
    name: 'rename',
    before: (root) => stat(`${root}/d/from`),
    act: (root) => {
      renameSync(`${root}/d/from`, `${root}/d/to`);
    },
    costs: ['LOOKUP', 'RENAME'],
  },
  ...['', 'l-'].flatMap((kind): Budget[] => {
    const title = kind === '' ? '' : ', copied up by it';
    const known =
      (name: string) =>
      (root: string): void =>
        void stat(`${root}/d/${kind}${name}`);
    return [
      {
        name: `chmod${title}`,
        before: known('chmod'),
        act: (root) => {
          chmodSync(`${root}/d/${kind}chmod`, 0o600);
        },
        costs: ['SETATTR'],
      },
      // chown(2) and truncate(2) take file capabilities away, and notify_change asks whether there are some.
      {
        name: `chown${title}`,
        before: known('chown'),
        act: (root) => {
          chownSync(`${root}/d/${kind}chown`, 5, 6);
        },
        costs: ['GETXATTR', 'SETATTR'],
      },
      {
        name: `utimens${title}`,
        before: known('utimens'),
        act: (root) => {
          utimesSync(`${root}/d/${kind}utimens`, 5, 6);
        },
        costs: ['SETATTR'],
      },
      {
        name: `truncate${title}`,
        before: known('truncate'),
        act: (root) => {
          truncate(`${root}/d/${kind}truncate`, 2);
        },
        costs: ['GETXATTR', 'SETATTR'],
      },
      { name: `stat after chmod${title}`, act: known('chmod'), costs: [] },
      { name: `stat after chown${title}`, act: known('chown'), costs: [] },
      { name: `stat after utimens${title}`, act: known('utimens'), costs: [] },
      { name: `stat after truncate${title}`, act: known('truncate'), costs: [] },
      {
        name: `unlink${title === '' ? '' : ' of a lower file'}`,
        before: known('unlink'),
        act: (root) => {
          unlinkSync(`${root}/d/${kind}unlink`);
        },
        costs: ['UNLINK'],
      },
    ];
  }),
  {
    name: 'rmdir',
    before: (root) => {
      unlinkSync(`${root}/d/empty/below`);
    },
    act: (root) => {
      rmdirSync(`${root}/d/empty`);
    },
    costs: ['RMDIR'],
  },
];

const gate = backendGate('veneer');

describe.skipIf(gate.skip)(gate.title('round trips'), () => {
  const temp = tempDir('round-trips');
  const requests = path.join(temp.path, 'requests');
  let staged: Staged;
  let door: OverlayDoor;

  beforeAll(async () => {
    const base = path.join(temp.path, 'layers');
    const build = path.join(temp.path, 'build');
    for (const dir of [base, build]) mkdirSync(dir, { mode: 0o755 });
    writeFileSync(requests, '');
    process.env['VENEER_REQUESTS'] = requests;
    door = await buildWithLibc(build, 'counting-libc.mjs');
    staged = stage(base, { lower: [LOWER], upper: UPPER }, 'veneer');
    const { lowers: lowerdir, upper: upperdir, work: workdir, mountpoint } = staged;
    await door.startOverlay({ lowerdir, upperdir: upperdir!, workdir, mountpoint, logFile: logFileOf(staged) });
    delete process.env['VENEER_REQUESTS'];
    // The first OPENDIR is answered with ENOSYS, and no other comes.
    readdirSync(mountpoint);
  });
  afterAll(async () => {
    await door.unmountOverlay(staged.mountpoint);
    temp.remove();
  });

  const count = (): number => statSync(requests).size;

  test.each(BUDGETS.map((budget) => [budget.name, budget] as const))('%s', (_, { before, act, costs }) => {
    before?.(staged.mountpoint);
    const from = count();
    act(staged.mountpoint);
    const made = [...readFileSync(requests).subarray(from)].filter((code) => !UNANSWERED.has(code));
    expect(made.map(opcodeName)).toEqual(costs);
    expect(loggedErrors(staged)).toEqual([]);
  });
});
