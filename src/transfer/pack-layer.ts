// A stored layer, compressed on its way out: to an archive or a registry.

import type { ChainId, DiffId } from '../image/index.js';
import { compressToFile } from '../layer/index.js';
import type { CompressedFile, LayerCompression } from '../layer/index.js';
import type { Store } from '../store/index.js';
import { layerTar, layerTarSize } from './layer-tar.js';
import type { OnProgress } from './progress.js';

export interface PackOptions {
  readonly compression: LayerCompression;
  /** As the compressor takes it. */
  readonly level?: number | undefined;
  /** An empty file, open for reading and writing. */
  readonly fd: number;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Compresses a layer into a file: digest and size are known only when all is compressed. Errors: those of `layerTar`, `unavailable`
 * where the compressor is missing.
 */
export async function packLayer(
  store: Store,
  { diffId, chainId }: { readonly diffId: DiffId; readonly chainId: ChainId },
  { compression, level, fd, onProgress, signal }: PackOptions,
): Promise<CompressedFile> {
  const total = await layerTarSize(store, chainId);
  let bytes = 0;
  const plain = (async function* (source: AsyncIterable<Buffer>) {
    for await (const chunk of source) {
      bytes += chunk.length;
      onProgress?.({ layer: diffId, phase: 'compressing', bytes, total });
      yield chunk;
    }
  })(layerTar(store, chainId, { signal }));
  return compressToFile(plain, compression, {
    fd,
    ...(level === undefined ? {} : { level }),
    ...(signal === undefined ? {} : { signal }),
  });
}
