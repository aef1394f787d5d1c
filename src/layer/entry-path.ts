// Archive paths, judged as text before any of them reaches the file system.

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
    throw limitError(`the path of a tar entry has more than ${String(limits.maxPathLength)} bytes`);
  }
  const components = path.split('/').filter((component) => component !== '' && component !== '.');
  if (components.length > limits.maxDepth) {
    throw limitError(`the path of a tar entry has more than ${String(limits.maxDepth)} components`);
  }
  for (const [index, component] of components.entries()) {
    const prefix = component.startsWith(WHITEOUT_PREFIX) ? WHITEOUT_PREFIX.length : 0;
    if (component === '..') throw entryError('integrity', entry, "its path or link target contains '..'");
    if (component.length - prefix > NAME_MAX)
      throw entryError('integrity', entry, 'a name in its path has more than 255 bytes');
    if (index < components.length - 1 && prefix > 0) {
      throw entryError('integrity', entry, `'${component}' in its path is a whiteout, not a directory`);
    }
  }
  return components;
}
