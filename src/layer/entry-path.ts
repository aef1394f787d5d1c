// Archive paths, judged as text before any of them reaches the file system.

import { displayBytes } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import { WHITEOUT_PREFIX } from '../whiteout/index.js';
import type { LayerLimits } from './limits.js';
import { limitError } from './limits.js';
import { entryError } from './tar-entry.js';

/** AUFS bookkeeping that the first layers of Docker carried along: `.wh..wh.plnk/...`; it describes no file. */
export function isAufsMetadata(path: ByteString): boolean {
  return /^(?:\.?\/)*\.wh\.\.wh\.(?!\.opq$)/.test(path);
}

/** NAME_MAX of every Linux file system that can hold a layer. A whiteout's name is its prefix longer than what it hides. */
const NAME_MAX = 255;

/**
 * The components of an entry's path, or of a hard link's target, from the layer's root; none for the root itself.
 * A leading `/` is dropped and `.` and empty components are passed over, as Docker does.
 *
 * Errors: `integrity` for `..`, which no archiver writes and every escape needs, and for whiteout names where
 * a directory or a link's target must be; `limit`.
 */
export function entryComponents(path: ByteString, entry: ByteString, limits: LayerLimits): ByteString[] {
  if (path.length > limits.maxPathLength) {
    throw limitError(`its path, or link target, has more than ${String(limits.maxPathLength)} bytes`, { entry });
  }
  const components: ByteString[] = [];
  for (const component of path.split('/')) {
    if (component === '' || component === '.') continue;
    const isMarked = component.startsWith(WHITEOUT_PREFIX);
    const last = components.at(-1);
    if (last?.startsWith(WHITEOUT_PREFIX) === true) {
      throw entryError('integrity', entry, `'${displayBytes(last)}' in its path is a whiteout, not a directory`);
    }
    if (component === '..') throw entryError('integrity', entry, "its path or link target contains '..'");
    if (component.length - (isMarked ? WHITEOUT_PREFIX.length : 0) > NAME_MAX) {
      throw entryError('integrity', entry, 'a name in its path has more than 255 bytes');
    }
    components.push(component);
  }
  if (components.length > limits.maxDepth) {
    throw limitError(`its path, or link target, has more than ${String(limits.maxDepth)} components`, { entry });
  }
  return components;
}
