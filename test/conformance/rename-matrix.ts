// rename(2) as a matrix: {file, dir} x {lower, upper, merged} x every kind of target x every flag.

import { RENAME_EXCHANGE, RENAME_NOREPLACE, RENAME_WHITEOUT } from '../../src/sys/index.js';
import { dir, file, whiteout } from '../helpers/layer-spec.js';
import type { LayerSpec } from '../helpers/layer-spec.js';
import { ORIGINS } from './check.js';
import type { Check, Origin } from './check.js';
import type { Ctx } from './ctx.js';

type SourceType = 'file' | 'dir';

interface Side {
  readonly lower: LayerSpec;
  readonly upper: LayerSpec;
}

/** The source `a` (with `a/in` below a directory) by where it comes from. */
const SOURCES: Readonly<Record<SourceType, Readonly<Record<Origin, Side>>>> = {
  file: {
    lower: { lower: { a: file('moved', { mode: 0o640, uid: 7 }) }, upper: {} },
    upper: { lower: {}, upper: { a: file('moved', { mode: 0o640, uid: 7 }) } },
    merged: { lower: { a: 'hidden' }, upper: { a: file('moved', { mode: 0o640, uid: 7 }) } },
  },
  dir: {
    lower: { lower: { a: dir({ mode: 0o750 }), 'a/in': 'moved', 'a/sub/deep': 'too' }, upper: {} },
    upper: { lower: {}, upper: { a: dir({ mode: 0o750 }), 'a/in': 'moved', 'a/sub/deep': 'too' } },
    merged: {
      lower: { 'a/in': 'hidden', 'a/sub/deep': 'too', 'a/gone': 'gone' },
      upper: { a: dir({ mode: 0o750 }), 'a/in': 'moved', 'a/gone': whiteout() },
    },
  },
};

type TargetType = 'absent' | 'file' | 'empty' | 'full';

/** The target `b`, each kind in every way the layers can make it. */
const TARGETS: readonly { readonly name: string; readonly type: TargetType; readonly side: Side }[] = [
  { name: 'absent', type: 'absent', side: { lower: {}, upper: {} } },
  { name: 'whited-out file', type: 'absent', side: { lower: { b: 'gone' }, upper: { b: whiteout() } } },
  { name: 'whited-out dir', type: 'absent', side: { lower: { 'b/x': 'gone' }, upper: { b: whiteout() } } },
  { name: 'lower file', type: 'file', side: { lower: { b: 'target' }, upper: {} } },
  { name: 'upper file', type: 'file', side: { lower: {}, upper: { b: 'target' } } },
  { name: 'lower empty dir', type: 'empty', side: { lower: { b: dir() }, upper: {} } },
  { name: 'upper empty dir', type: 'empty', side: { lower: {}, upper: { b: dir() } } },
  {
    name: 'dir of whiteouts only',
    type: 'empty',
    side: { lower: { 'b/x': 'gone', 'b/y/z': 'gone' }, upper: { 'b/x': whiteout(), 'b/y': whiteout() } },
  },
  { name: 'lower full dir', type: 'full', side: { lower: { 'b/x': 'target' }, upper: {} } },
  { name: 'upper full dir', type: 'full', side: { lower: {}, upper: { 'b/x': 'target' } } },
  { name: 'merged full dir', type: 'full', side: { lower: { 'b/x': 'target' }, upper: { 'b/y': 'target' } } },
];

const FLAGS = { plain: 0, NOREPLACE: RENAME_NOREPLACE, EXCHANGE: RENAME_EXCHANGE, WHITEOUT: RENAME_WHITEOUT } as const;

/** The kernel's answer, by type alone: layers must not show. */
function answer(source: SourceType, target: TargetType, flags: number): string | undefined {
  if (flags === RENAME_NOREPLACE) return target === 'absent' ? undefined : 'EEXIST';
  if (flags === RENAME_EXCHANGE) return target === 'absent' ? 'ENOENT' : undefined;
  // Overlayfs refuses to be an overlay's upper, whose whiteouts this flag is for.
  const done = flags === RENAME_WHITEOUT ? 'EINVAL' : undefined;
  if (target === 'absent') return done;
  if (source === 'file') return target === 'file' ? done : 'EISDIR';
  if (target === 'file') return 'ENOTDIR';
  if (done !== undefined) return done;
  return target === 'full' ? 'ENOTEMPTY' : undefined;
}

function expectMoved(ctx: Ctx, at: string, source: SourceType): void {
  if (source === 'file') {
    ctx.expectContent(at, 'moved');
    ctx.expectStat(at, { mode: 0o640, uid: 7 });
    return;
  }
  ctx.expectList(at, ['in', 'sub']);
  ctx.expectContent(`${at}/in`, 'moved');
  ctx.expectContent(`${at}/sub/deep`, 'too');
}

function expectTarget(ctx: Ctx, at: string, target: TargetType): void {
  if (target === 'absent') ctx.expectMissing(at);
  else if (target === 'file') ctx.expectContent(at, 'target');
  else if (target === 'empty') ctx.expectList(at, []);
  else for (const name of ctx.list(at)) ctx.expectContent(`${at}/${name}`, 'target');
}

function check(source: SourceType, origin: Origin, target: (typeof TARGETS)[number], flag: keyof typeof FLAGS): Check {
  const side = SOURCES[source][origin];
  const err = answer(source, target.type, FLAGS[flag]);
  return {
    name: `${flag} ${origin} ${source} to ${target.name}`,
    lower: [{ ...side.lower, ...target.side.lower }],
    upper: { ...side.upper, ...target.side.upper },
    ...(flag === 'WHITEOUT' ? { on: ['kernel', 'veneer'] } : {}),
    run: (ctx) => {
      const before = ctx.stat('a').ino;
      ctx.rename('a', 'b', { flags: FLAGS[flag], ...(err === undefined ? {} : { err }) });
      if (err !== undefined) {
        expectMoved(ctx, 'a', source);
        expectTarget(ctx, 'b', target.type);
        return;
      }
      expectMoved(ctx, 'b', source);
      ctx.expectStat('b', { ino: before });
      if (flag === 'EXCHANGE') expectTarget(ctx, 'a', target.type);
      else {
        ctx.expectMissing('a');
        ctx.expectList('', ['b']);
        // The old name is free and opaque: nothing from below comes back.
        ctx.mkdir('a');
        ctx.expectList('a', []);
      }
    },
  };
}

export const renameMatrix: readonly Check[] = (['file', 'dir'] as const).flatMap((source) =>
  ORIGINS.flatMap((origin) =>
    TARGETS.flatMap((target) =>
      (Object.keys(FLAGS) as (keyof typeof FLAGS)[]).map((flag) => check(source, origin, target, flag)),
    ),
  ),
);
