// Random layers for the differential test.

import fc from 'fast-check';
import { dir, fifo, file, mergeSpecs, opaque, symlink, whiteout } from '../helpers/layer-spec.js';
import type { LayerNode, LayerSpec } from '../helpers/layer-spec.js';

const name = fc.constantFrom('a', 'b', 'c', 'd');
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/'));

const node: fc.Arbitrary<LayerNode> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .constantFrom('one', 'two', 'z'.repeat(9000))
      .map((content) => file(content, { xattrs: { 'user.a': 'v' } })),
  },
  { weight: 2, arbitrary: fc.constantFrom(0o755, 0o700, 0o1777).map((mode) => dir({ mode })) },
  { weight: 1, arbitrary: fc.constant(opaque()) },
  { weight: 1, arbitrary: fc.constantFrom('a', '../b').map((target) => symlink(target)) },
  { weight: 1, arbitrary: fc.constant(fifo()) },
  { weight: 2, arbitrary: fc.constant(whiteout()) },
);

/** Drops what contradicts: nodes below something that is no directory; a second link to what is not there. */
function consistent(entries: readonly (readonly [string, LayerNode])[], links: readonly string[]): LayerSpec {
  const spec = new Map<string, LayerNode>();
  for (const [at, entry] of entries) {
    const above = at.split('/').map((_, index, parts) => parts.slice(0, index).join('/'));
    const blocked = above.some((parent) => spec.has(parent) && spec.get(parent)?.kind !== 'dir');
    const hasChildren = [...spec.keys()].some((other) => other.startsWith(`${at}/`));
    // The kernel calls a layer with whiteouts in an opaque directory corrupted.
    const inOpaque = entry.kind === 'whiteout' && above.some((parent) => isOpaque(spec.get(parent)));
    const hidesOwn = isOpaque(entry) && hasChildren;
    if (!blocked && !inOpaque && !hidesOwn && !(hasChildren && entry.kind !== 'dir')) spec.set(at, entry);
  }
  const target = [...spec].find(([, entry]) => entry.kind === 'file')?.[0];
  for (const at of links) if (target !== undefined && !spec.has(at)) spec.set(at, { kind: 'link', to: target });
  return Object.fromEntries(spec);
}

const isOpaque = (entry: LayerNode | undefined): boolean => entry?.kind === 'dir' && entry.opaque !== undefined;

const layer: fc.Arbitrary<LayerSpec> = fc
  .tuple(fc.array(fc.tuple(path, node), { maxLength: 12 }), fc.array(fc.constantFrom('l', 'm'), { maxLength: 2 }))
  .map(([entries, links]) => consistent(entries, links));

export interface FuzzLayers {
  readonly lower: readonly LayerSpec[];
  readonly upper: LayerSpec;
}

/**
 * Keeps only the whiteouts that hide something: others show in the kernel's listings where the directory is not merged.
 * Top first.
 */
export function withoutIdleWhiteouts(specs: readonly LayerSpec[]): LayerSpec[] {
  const kept: LayerSpec[] = [];
  for (const spec of specs.toReversed()) {
    const below = mergeSpecs(kept);
    const useful = Object.entries(spec).filter(
      ([at, entry]) => typeof entry === 'string' || entry.kind !== 'whiteout' || below.has(at),
    );
    kept.unshift(Object.fromEntries(useful));
  }
  return kept;
}

export const fuzzLayers: fc.Arbitrary<FuzzLayers> = fc
  .tuple(
    fc.array(layer, { minLength: 1, maxLength: 3 }),
    fc.oneof({ weight: 2, arbitrary: fc.constant<LayerSpec>({}) }, { weight: 1, arbitrary: layer }),
  )
  .map(([lower, upper]) => {
    const [top, ...rest] = withoutIdleWhiteouts([upper, ...lower]);
    return { lower: rest, upper: top! };
  });
