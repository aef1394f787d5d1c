// open(2) as a matrix: {lower, upper} x what the path leads to, through up to two symlinks x flags x ways to access.

import {
  O_APPEND,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
  S_IFLNK,
} from '../../src/sys/index.js';
import { symlink } from '../helpers/layer-spec.js';
import type { LayerNode } from '../helpers/layer-spec.js';
import type { Check } from './check.js';
import type { Ctx } from './ctx.js';
import { expectEqual } from './handle.js';

const CONTENT = 'content';

type Goal = 'file' | 'missing' | 'directory';
const GOALS: readonly Goal[] = ['file', 'missing', 'directory'];
const SYMLINKS = [0, 1, 2] as const;

const FLAGS = {
  plain: 0,
  TRUNC: O_TRUNC,
  CREAT: O_CREAT,
  'CREAT|TRUNC': O_CREAT | O_TRUNC,
  'CREAT|EXCL': O_CREAT | O_EXCL,
  'CREAT|EXCL|TRUNC': O_CREAT | O_EXCL | O_TRUNC,
  DIRECTORY: O_DIRECTORY,
  'DIRECTORY|TRUNC': O_DIRECTORY | O_TRUNC,
} as const;
type FlagName = keyof typeof FLAGS;

const ACCESSES = [
  { name: 'r', flags: O_RDONLY, writes: false, appends: false },
  { name: 'w', flags: O_WRONLY, writes: true, appends: false },
  { name: 'a', flags: O_WRONLY | O_APPEND, writes: true, appends: true },
  { name: 'rw', flags: O_RDWR, writes: true, appends: false },
  { name: 'ra', flags: O_RDWR | O_APPEND, writes: true, appends: true },
] as const;
type Access = (typeof ACCESSES)[number];

/** What the kernel says by type alone: neither the layer nor the way there must show, but for O_EXCL at a symlink. */
function answer(goal: Goal, through: number, flags: number, access: Access): string | undefined {
  const exclusive = (flags & O_EXCL) !== 0;
  if (goal === 'missing') {
    if ((flags & O_CREAT) === 0) return 'ENOENT';
    return exclusive && through > 0 ? 'EEXIST' : undefined;
  }
  if (exclusive) return 'EEXIST';
  if (goal === 'file') return (flags & O_DIRECTORY) === 0 ? undefined : 'ENOTDIR';
  return (flags & (O_CREAT | O_TRUNC)) !== 0 || access.writes ? 'EISDIR' : undefined;
}

const goalName = (goal: Goal, access: Access): string => `${goal}-${access.name}`;
const symlinkName = (access: Access, index: number): string => `l${String(index)}-${access.name}`;
const openedName = (goal: Goal, through: number, access: Access): string =>
  through === 0 ? goalName(goal, access) : symlinkName(access, through);

/** For each access a goal of its own, and the symlinks to it: `l2` to `l1` to the goal. */
function makeLayer(goal: Goal): Record<string, LayerNode | string> {
  return Object.fromEntries(
    ACCESSES.flatMap((access): [string, LayerNode | string][] => [
      ...(goal === 'file' ? [[goalName(goal, access), CONTENT] as [string, string]] : []),
      ...(goal === 'directory' ? [[`${goalName(goal, access)}/x`, CONTENT] as [string, string]] : []),
      [symlinkName(access, 1), symlink(goalName(goal, access))],
      [symlinkName(access, 2), symlink(symlinkName(access, 1))],
    ]),
  );
}

/** Opens, and writes a letter if that can be; what the file holds then. */
function openAndWrite(ctx: Ctx, path: string, use: { flags: number; access: Access; before: string }): string {
  const { flags, access, before } = use;
  const handle = ctx.open(path, flags | access.flags);
  const base = (flags & O_TRUNC) === 0 ? before : '';
  if (access.writes) handle.write('q');
  handle.close();
  if (!access.writes) return base;
  return access.appends ? `${base}q` : `q${base.slice(1)}`;
}

function openTwice(ctx: Ctx, goal: Goal, through: number, use: { flags: number; access: Access }): void {
  const { flags, access } = use;
  const path = openedName(goal, through, access);
  const at = goalName(goal, access);
  const err = answer(goal, through, flags, access);
  const ino = goal === 'missing' ? undefined : ctx.stat(at).ino;
  let content: string | undefined = goal === 'file' ? CONTENT : undefined;
  for (const again of [false, true]) {
    // What the first open made is there for the second one.
    const now = again && err === undefined && (flags & O_EXCL) !== 0 ? 'EEXIST' : err;
    if (now !== undefined) ctx.touch(path, flags | access.flags, { err: now });
    else if (goal === 'directory') ctx.touch(path, flags | access.flags);
    else content = openAndWrite(ctx, path, { flags, access, before: content ?? '' });
  }
  if (goal === 'directory') ctx.expectList(at, ['x']);
  else if (content === undefined) ctx.expectMissing(at);
  else ctx.expectContent(at, content);
  if (ino !== undefined) expectEqual(`inode of ${at}`, ctx.stat(at).ino, ino);
  for (const index of [1, 2]) expectEqual('symlink', ctx.stat(symlinkName(access, index)).type, S_IFLNK);
}

export const openMatrix: readonly Check[] = (['lower', 'upper'] as const).flatMap((origin) =>
  GOALS.flatMap((goal) =>
    SYMLINKS.flatMap((through) =>
      (Object.keys(FLAGS) as FlagName[]).map((flag): Check => ({
        name: `${flag} of a ${goal} through ${String(through)} symlinks, ${origin}`,
        ...(origin === 'lower' ? { lower: [makeLayer(goal)] } : { upper: makeLayer(goal) }),
        run: (ctx) => {
          for (const access of ACCESSES) openTwice(ctx, goal, through, { flags: FLAGS[flag], access });
        },
      })),
    ),
  ),
);
