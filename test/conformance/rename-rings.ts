// Names that change places in a ring: each thing moves on by one into the place that is free, again and again, so that
// every name is in turn a whiteout, a copy, a redirect and free.

import { S_IFDIR } from '../../src/sys/index.js';
import { dir, file, link, symlink } from '../helpers/layer-spec.js';
import type { LayerNode, LayerSpec } from '../helpers/layer-spec.js';
import type { Check } from './check.js';
import type { Ctx } from './ctx.js';

const THINGS = 5;
const PLACES = THINGS + 1;
const MOVES = 27;

const RINGS: Readonly<Record<string, (index: string) => Readonly<Record<string, LayerNode | string>>>> = {
  file: (index) => ({ '': file(`file ${index}`, { xattrs: { 'user.ring': index } }) }),
  'linked file': (index) => ({ '': `file ${index}`, '-link': link(`n${index}`) }),
  symlink: (index) => ({ '': symlink(`target-${index}`) }),
  'empty directory': () => ({ '': dir({ mode: 0o750 }) }),
  'full directory': (index) => ({ '/in': `file ${index}`, '/sub/deep': `deep ${index}` }),
};

/** Layer entries of all things of a ring: the names begin with `n0`, `n1`, ... */
function makeRing(kind: string): LayerSpec {
  return Object.fromEntries(
    Array.from({ length: THINGS }, (_, index) =>
      Object.entries(RINGS[kind]!(String(index))).map(([rest, node]) => [`n${String(index)}${rest}`, node] as const),
    ).flat(),
  );
}

function expectThing(ctx: Ctx, kind: string, at: { place: number; thing: number }): void {
  const [path, thing] = [`n${String(at.place)}`, String(at.thing)];
  if (kind === 'symlink') {
    if (ctx.readlink(path) !== `target-${thing}`) throw new Error(`${path} is not symlink ${thing}`);
  } else if (kind === 'empty directory') {
    ctx.expectStat(path, { type: S_IFDIR, mode: 0o750 });
    ctx.expectList(path, []);
  } else if (kind === 'full directory') {
    ctx.expectList(path, ['in', 'sub']);
    ctx.expectContent(`${path}/in`, `file ${thing}`);
    ctx.expectContent(`${path}/sub/deep`, `deep ${thing}`);
  } else ctx.expectContent(path, `file ${thing}`);
}

const turn = (ctx: Ctx, kind: string): void => {
  // Which thing is at which place.
  const things = Array.from({ length: PLACES }, (_, place) => (place < THINGS ? place : undefined));
  const inodes = Array.from({ length: THINGS }, (_, thing) => ctx.stat(`n${String(thing)}`).ino);
  let free = THINGS;
  for (let move = 0; move < MOVES; move++) {
    const from = (free + PLACES - 1) % PLACES;
    ctx.rename(`n${String(from)}`, `n${String(free)}`);
    things[free] = things[from];
    things[from] = undefined;
    ctx.expectMissing(`n${String(from)}`);
    free = from;
  }
  for (const [place, thing] of things.entries()) {
    if (thing === undefined) continue;
    expectThing(ctx, kind, { place, thing });
    ctx.expectStat(`n${String(place)}`, { ino: inodes[thing]! });
    if (kind === 'linked file') ctx.expectStat(`n${String(thing)}-link`, { ino: inodes[thing]!, nlink: 2 });
  }
};

/** Every second thing goes; the rest stays for the comparison of trees, and the mounts to come. */
function removeSome(ctx: Ctx, kind: string): void {
  for (const place of ctx.list('').filter((name) => /^n[024]$/.test(name))) {
    if (kind === 'full directory') ctx.removeTree(place);
    else if (kind === 'empty directory') ctx.rmdir(place);
    else {
      ctx.rmdir(place, { err: 'ENOTDIR' });
      ctx.unlink(place);
    }
    ctx.expectMissing(place);
  }
}

export const renameRings: readonly Check[] = Object.keys(RINGS).flatMap((kind) =>
  (['lower', 'upper', 'two layers'] as const).map((origin): Check => {
    const ring = makeRing(kind);
    const layers = {
      lower: { lower: [ring] },
      upper: { upper: ring },
      // All the same in a second layer: what moves away must not show what is below it.
      'two layers': { lower: [ring, ring] },
    }[origin];
    return {
      name: `a ring of a ${kind} each, ${origin}`,
      ...layers,
      run: (ctx) => {
        turn(ctx, kind);
        removeSome(ctx, kind);
      },
    };
  }),
);
