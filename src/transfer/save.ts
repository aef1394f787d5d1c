// `save`: images go out of the store into an archive.

import { displayBytes, toByteString, VeneerError } from '../core/index.js';
import { TarWriter } from '../layer/index.js';
import type { ByteSink, LayerCompression } from '../layer/index.js';
import type { Store } from '../store/index.js';
import { writeOutputFile } from './output-file.js';
import type { OnProgress } from './progress.js';
import { SavePlan } from './save-plan.js';
import type { PlannedFile } from './save-plan.js';
import { selectImages } from './select-images.js';
import { tarEntry } from './tar-entries.js';
import { writeLayout } from './write-layout.js';

/** A file, which appears when it is whole; a directory for an OCI layout; or a sink for a tar. */
export type SaveTarget = { readonly path: string } | { readonly directory: string } | { readonly sink: ByteSink };

export interface SaveOptions {
  /** `docker`, the default for tars: a docker archive and an OCI archive at once. A directory is always `oci`. */
  readonly format?: 'docker' | 'oci' | undefined;
  /** Of layers in the format `oci`; by default they are as they came, or plain. */
  readonly compression?: LayerCompression | undefined;
  /** As the compressor takes it. */
  readonly level?: number | undefined;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Saves images by name or ID; a name without a tag stands for all tags of the repository. The same images give the same bytes. An image
 * that came with a manifest is saved with it and its blobs, where the format allows. What is shared is written once.
 *
 * A failed or aborted save leaves nothing half made, but in a sink. Errors: `not-found`, `invalid`, `integrity` for damaged layers.
 */
export async function saveImages(
  store: Store,
  names: readonly string[],
  target: SaveTarget,
  options: SaveOptions = {},
): Promise<void> {
  const { compression, level, onProgress, signal } = options;
  const format = options.format ?? ('directory' in target ? 'oci' : 'docker');
  if (format === 'docker' && 'directory' in target) {
    throw new VeneerError('invalid', `cannot save to the directory '${target.directory}' in the format docker`, {
      hint: 'a directory takes the format oci',
    });
  }
  if (format === 'docker' && (compression ?? 'none') !== 'none') {
    throw new VeneerError('invalid', 'layers are not compressed in the format docker', { hint: 'use the format oci' });
  }
  const selected = selectImages(store, names);
  using _kept = leaseAll(
    store,
    selected.flatMap(({ image }) => image.layers),
  );
  using plan = new SavePlan(store, { format, compression, level, onProgress, signal });
  for (const image of selected) await plan.add(image);
  const copy = (file: PlannedFile, write: ByteSink): Promise<void> => copyFile(file, write, { onProgress, signal });
  if ('directory' in target) {
    await writeLayout(target.directory, { blobs: plan.blobs(), entries: plan.indexEntries() }, copy);
    return;
  }
  const write = (sink: ByteSink): Promise<void> => writeTar(plan.files(), sink, copy);
  if ('sink' in target) await write(target.sink);
  else await writeOutputFile(target.path, write);
}

/** Keeps layers from going while they are read. */
function leaseAll(store: Store, layers: readonly Parameters<Store['layers']['reuse']>[0][]): Disposable {
  const lease = store.lease();
  try {
    for (const id of new Set(layers)) store.layers.reuse(id, lease);
    return lease;
  } catch (error) {
    lease.release();
    throw error;
  }
}

interface CopyOptions {
  readonly onProgress: OnProgress | undefined;
  readonly signal: AbortSignal | undefined;
}

async function copyFile(file: PlannedFile, write: ByteSink, { onProgress, signal }: CopyOptions): Promise<void> {
  const { name, size } = file;
  let bytes = 0;
  for await (const chunk of file.stream()) {
    signal?.throwIfAborted();
    bytes += chunk.length;
    if (bytes > size) break;
    await write(chunk);
    onProgress?.({ layer: name, phase: 'writing', bytes, total: size });
  }
  if (bytes !== size) {
    throw new VeneerError(
      'integrity',
      `${displayBytes(toByteString(name))} does not have the ${String(size)} bytes it should have`,
    );
  }
  onProgress?.({ layer: name, phase: 'done', bytes, total: size });
}

async function writeTar(
  files: readonly PlannedFile[],
  sink: ByteSink,
  copy: (file: PlannedFile, write: ByteSink) => Promise<void>,
): Promise<void> {
  const tar = new TarWriter(sink);
  for (const directory of ['blobs/', 'blobs/sha256/']) await tar.entry(tarEntry(directory, 0));
  for (const file of files) {
    await tar.entry(tarEntry(file.path, file.size));
    await copy(file, (chunk) => tar.content(chunk));
  }
  await tar.finish();
}
