// Reads everything: the digest of each blob, and of each layer's tar made again.

import { Digester, hasCode, messageOf, shortDigest } from '../core/index.js';
import type { Digest } from '../core/index.js';
import type { ChainId } from '../image/index.js';
import { checkStore } from './check.js';
import type { Finding } from './finding.js';
import type { Layer } from './layers.js';
import type { StoreParts } from './parts.js';

export interface DeepCheckOptions {
  /** Makes the exact tar of a layer again; it may verify by itself and throw `integrity`. */
  readonly layerTar: (id: ChainId, options: { signal?: AbortSignal }) => AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal;
  /** Told after each blob and each layer. */
  readonly onProgress?: (progress: DeepCheckProgress) => void;
}

export interface DeepCheckProgress {
  /** Blobs and layers read so far, and all there are. */
  readonly done: number;
  readonly total: number;
}

/** What `check` finds, then what only reading finds. Others may go on with the store: what goes meanwhile is no finding. */
export async function checkStoreDeep(parts: StoreParts, options: DeepCheckOptions): Promise<Finding[]> {
  const { content, layers } = parts;
  const findings = checkStore(parts);
  const known = new Set(findings.map(({ object }) => object));
  const reads = [
    ...content.list().map((digest) => ({ object: digest, read: () => checkBlob(parts, digest) })),
    ...layers.list().map((layer) => ({ object: layer.chainId, read: () => checkLayer(parts, layer, options) })),
  ].filter(({ object }) => !known.has(object));
  for (const [done, { read }] of reads.entries()) {
    options.signal?.throwIfAborted();
    findings.push(...(await read()));
    options.onProgress?.({ done: done + 1, total: reads.length });
  }
  return findings;
}

async function checkBlob({ content }: StoreParts, digest: Digest): Promise<Finding[]> {
  try {
    for await (const _chunk of content.stream(digest));
    return [];
  } catch (error) {
    if (hasCode(error, 'not-found')) return [];
    return [{ kind: 'blob-damaged', object: digest, message: messageOf(error) }];
  }
}

async function checkLayer(
  { layers }: StoreParts,
  { chainId, diffId }: Layer,
  { layerTar, signal }: DeepCheckOptions,
): Promise<Finding[]> {
  const damaged = (why: string): Finding[] => {
    if (layers.find(chainId) === undefined) return [];
    return [{ kind: 'layer-damaged', object: chainId, message: `layer ${shortDigest(chainId)}: ${why}` }];
  };
  try {
    const digester = new Digester();
    for await (const chunk of layerTar(chainId, signal === undefined ? {} : { signal })) digester.update(chunk);
    return digester.digest() === (diffId as string) ? [] : damaged('its files are not those of its digest');
  } catch (error) {
    signal?.throwIfAborted();
    return damaged(messageOf(error));
  }
}
