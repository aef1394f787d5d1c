// Any layers, read as the kernel's overlayfs reads them.

import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { dir, file, symlink, whiteout } from '../../helpers/layer-spec.js';
import type { LayerNode, LayerSpec } from '../../helpers/layer-spec.js';
import { requires } from '../../helpers/requires.js';
import { tempDir } from '../../helpers/tmp.js';
import { kernelViewOf, viewOf, writeLayers } from './support.js';

const gate = requires('root', 'kernel-overlay', 'mknod', 'trusted-xattr');
const scratch = tempDir('stack-oracle');
afterAll(() => {
  scratch.remove();
});

const NAMES = ['a', 'b', 'c'] as const;
const name = fc.constantFrom(...NAMES);
/** From the overlay's root, or a name in the same directory. */
const redirect = fc.oneof(
  name,
  fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => `/${names.join('/')}`),
);

const OPAQUE = 'trusted.overlay.opaque';
const REDIRECT = 'trusted.overlay.redirect';
const METACOPY = 'trusted.overlay.metacopy';

interface Directory {
  readonly node: LayerNode;
  readonly children: readonly (readonly [string, Child])[];
}
type Child = Directory | LayerNode;

/** All contents are of one size: a metadata-only file has that of its data. */
const leaf: fc.Arbitrary<LayerNode> = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 100, max: 999 }).map((content) => file(String(content))) },
  { weight: 3, arbitrary: fc.constant(whiteout()) },
  { weight: 1, arbitrary: fc.constant(symlink('b')) },
  { weight: 2, arbitrary: fc.constant(file('', { size: 3, mode: 0o600, xattrs: { [METACOPY]: '' } })) },
  {
    weight: 2,
    arbitrary: redirect.map((to) => file('', { size: 3, mode: 0o600, xattrs: { [METACOPY]: '', [REDIRECT]: to } })),
  },
);

const directoryNode: fc.Arbitrary<LayerNode> = fc.oneof(
  { weight: 5, arbitrary: fc.constant(dir()) },
  { weight: 1, arbitrary: fc.constant(dir({ xattrs: { [OPAQUE]: 'y' } })) },
  { weight: 2, arbitrary: redirect.map((to) => dir({ xattrs: { [REDIRECT]: to } })) },
);

const byName = { selector: ([key]: readonly [string, unknown]): string => key, maxLength: 3 };

const { root } = fc.letrec<{ root: Directory; child: Child; directory: Directory }>((tie) => ({
  root: fc.record({ node: fc.constant(dir()), children: fc.uniqueArray(fc.tuple(name, tie('child')), byName) }),
  child: fc.oneof({ maxDepth: 2, depthIdentifier: 'tree' }, leaf, tie('directory'), tie('directory')),
  directory: fc.record({ node: directoryNode, children: fc.uniqueArray(fc.tuple(name, tie('child')), byName) }),
}));

function flatten(directory: Directory, path: string, into: Record<string, LayerNode>): LayerSpec {
  for (const [key, child] of directory.children) {
    const at = path === '' ? key : `${path}/${key}`;
    if ('children' in child) {
      into[at] = child.node;
      flatten(child, at, into);
    } else into[at] = child;
  }
  return into;
}

const layer = root.map((directory) => flatten(directory, '', {}));

const stack = fc.array(layer, { minLength: 2, maxLength: 4 });
let round = 0;

describe.skipIf(gate.skip)(gate.title('a stack'), () => {
  test('shows what overlayfs shows: whiteouts, opaque directories, redirects, metacopies', () => {
    fc.assert(
      fc.property(stack, (layers) => {
        round += 1;
        const at = `${scratch.path}/${String(round)}`;
        const paths = writeLayers(at, layers);
        const [ours, kernel] = [viewOf(paths), kernelViewOf(paths, `${at}/m`)];
        // Metadata-only files that refer to nothing: lookup.test.ts.
        fc.pre(![...Object.values(ours), ...Object.values(kernel)].includes('EIO'));
        expect(ours).toEqual(kernel);
      }),
      { numRuns: 100 },
    );
  });
});
