// The door to patches. What finds the lines that differ is loaded when a patch is asked for: commands start without it.

import type { DiffLayersOptions } from './diff-layers.js';
import type { PatchLine } from './text-hunks.js';

/** Bytes a file may have for its lines to be compared, unless told. */
export const DEFAULT_MAX_PATCHED_FILE = 1024 * 1024;

export type PatchLayersOptions = DiffLayersOptions & {
  /** `DEFAULT_MAX_PATCHED_FILE` by default. */
  readonly maxFileSize?: number;
};

/**
 * The patch that turns one stack into the other: for each change its lines, without newlines. Texts and symlinks are in
 * git's format, so that `git apply` and `patch -p1` apply them; what git has no words for (owners, attributes,
 * devices, directories) stands in blocks `diff --veneer` that those programs pass over. Content is compared by lines unless
 * a file is larger than `maxFileSize` or holds a NUL byte. Throws a SysError.
 */
export async function* patchLayers(options: PatchLayersOptions): AsyncGenerator<readonly PatchLine[], void> {
  const { linesOfChanges } = await import('./patch-lines.js');
  const { maxFileSize = DEFAULT_MAX_PATCHED_FILE, ...layers } = options;
  yield* linesOfChanges(layers, maxFileSize);
}
