// Which paths of a tree are asked for.

import type { ByteString } from '../core/index.js';

/**
 * `inside`: asked for; `above`: not itself, but something below it may be; `outside`: nothing of it. What is below
 * something outside is not asked about.
 */
export type PathChoice = (path: ByteString) => 'inside' | 'above' | 'outside';

export const allPaths: PathChoice = () => 'inside';

/** These paths (without leading and trailing slashes; '' is the root) and all below them. */
export function pathsBelow(roots: readonly ByteString[]): PathChoice {
  const isBelow = (path: ByteString, root: ByteString): boolean =>
    root === '' || path === root || path.startsWith(`${root}/`);
  return (path) => {
    if (roots.some((root) => isBelow(path, root))) return 'inside';
    return roots.some((root) => isBelow(root, path)) ? 'above' : 'outside';
  };
}
