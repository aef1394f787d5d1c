// `import`: the tar of a root file system becomes an image of one layer.

import { createReadStream, statSync } from 'node:fs';
import { basename } from 'node:path';
import { VeneerError, hasCode } from '../core/index.js';
import { applyChanges, hostPlatform } from '../image/index.js';
import type { DiffId, ImageConfig, Platform } from '../image/index.js';
import { applyLayer } from '../layer/index.js';
import type { LayerLimits } from '../layer/index.js';
import { parseTaggedName } from '../store/index.js';
import type { Image, Lease, Store } from '../store/index.js';
import { abortable } from './abortable.js';

/** A tar, plain or compressed: a file, or a stream with a name to speak of it by. */
export type ImportSource =
  { readonly path: string } | { readonly stream: AsyncIterable<Uint8Array>; readonly name?: string };

export interface ImportProgress {
  /** Read of the source so far. */
  readonly bytes: number;
}

export interface ImportOptions {
  /** What to name the image. */
  readonly reference?: string;
  /** Dockerfile instructions to apply to its configuration. */
  readonly changes?: readonly string[];
  /** The comment in its history. */
  readonly message?: string;
  /** Its creation date, now by default. Two imports of one tar with equal options and dates give the same image. */
  readonly created?: Date;
  /** What it is said to run on: this machine's platform by default. */
  readonly platform?: Platform | undefined;
  readonly limits?: Partial<LayerLimits> | undefined;
  readonly onProgress?: (progress: ImportProgress) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Imports a root file system. The layer's DiffID is the digest of the uncompressed tar as given; a layer the store has
 * already is used again.
 *
 * Throws `not-found` for a missing file, `invalid`, `integrity` and `limit` for what is wrong with the tar, and `invalid` for
 * a malformed name or change, before anything is read. After a failure the store is as it was.
 */
export async function importRootfs(store: Store, source: ImportSource, options: ImportOptions = {}): Promise<Image> {
  const references = options.reference === undefined ? [] : [parseTaggedName(options.reference)];
  const name = nameOf(source);
  const created = (options.created ?? new Date()).toISOString();
  const config = (diffIds: readonly DiffId[]): ImageConfig => {
    const platform = options.platform ?? hostPlatform();
    const empty: ImageConfig = {
      created,
      ...platform,
      config: {},
      rootfs: { type: 'layers', diff_ids: diffIds },
      history: [{ created, comment: options.message ?? `Imported from ${name}` }],
    };
    return applyChanges(empty, options.changes ?? []);
  };
  // What is wrong with the changes is known before a large tar is read.
  config([]);
  using lease = store.lease();
  const diffId = await importLayer(store, { source, name, lease, options });
  return store.images.create(config([diffId]), references);
}

function nameOf(source: ImportSource): string {
  return 'path' in source ? basename(source.path) : (source.name ?? '-');
}

interface LayerImport {
  readonly source: ImportSource;
  readonly name: string;
  readonly lease: Lease;
  readonly options: ImportOptions;
}

async function importLayer(store: Store, { source, name, lease, options }: LayerImport): Promise<DiffId> {
  const { limits, signal } = options;
  const stream = counted(abortable(open(source), signal), options.onProgress);
  const staged = store.layers.stage();
  let applied: Awaited<ReturnType<typeof applyLayer>>;
  try {
    applied = await applyLayer({
      source: stream,
      target: staged.diff,
      record: staged.record,
      signal,
      ...(limits === undefined ? {} : { limits }),
    });
  } catch (error) {
    store.layers.discard(staged);
    signal?.throwIfAborted();
    if (!(error instanceof VeneerError)) throw error;
    throw new VeneerError(error.code, `cannot import '${name}': ${error.message}`, {
      cause: error,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
  }
  const { diffId, contentSize, uncompressedSize } = applied;
  const facts = { diffId, parent: undefined, size: contentSize, tarSize: uncompressedSize };
  store.layers.commit(staged, facts, lease);
  return diffId;
}

function open(source: ImportSource): AsyncIterable<Uint8Array> {
  if ('stream' in source) return source.stream;
  const { path } = source;
  const refuse = (code: 'not-found' | 'invalid' | 'permission', why: string): VeneerError =>
    new VeneerError(code, `cannot import '${path}': ${why}`);
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw refuse('not-found', 'no such file');
  if (stat.isDirectory()) {
    throw new VeneerError('invalid', `cannot import '${path}': it is a directory`, {
      hint: `make a tar of it: tar -C '${path}' -c . | veneer import - NAME`,
    });
  }
  const file = createReadStream(path, { highWaterMark: 1 << 20 });
  return (async function* read() {
    try {
      yield* file as AsyncIterable<Buffer>;
    } catch (error) {
      throw hasCode(error, 'EACCES') ? refuse('permission', 'permission denied') : error;
    }
  })();
}

async function* counted(
  source: AsyncIterable<Uint8Array>,
  onProgress: ImportOptions['onProgress'],
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.length;
    onProgress?.({ bytes });
    yield chunk;
  }
}
