// Identities of layers: OCI image spec, config.md, "Layer DiffID" and "Layer ChainID".

import { digestOf, parseDigest } from '../core/index.js';
import type { Digest } from '../core/index.js';

/** The digest of a layer's uncompressed tar. */
export type DiffId = Digest & { readonly __diffId: true };

/** The digest that names a layer together with all layers below it: the key of unpacked layer directories. */
export type ChainId = Digest & { readonly __chainId: true };

/** Marks a digest as that of an uncompressed layer tar. */
export function toDiffId(digest: Digest): DiffId {
  return digest as DiffId;
}

/** Parses the text of a DiffID. Throws `invalid`. */
export function parseDiffId(text: string): DiffId {
  return parseDigest(text) as DiffId;
}

/** Parses the text of a ChainID. Throws `invalid`. */
export function parseChainId(text: string): ChainId {
  return parseDigest(text) as ChainId;
}

/** The ChainID of a layer with the given DiffID, on top of `parent` (undefined: the bottom layer). */
export function chainId(parent: ChainId | undefined, diffId: DiffId): ChainId {
  return (parent === undefined ? diffId : digestOf(`${parent} ${diffId}`)) as ChainId;
}

/** The ChainIDs of a stack of layers, bottom first, as `rootfs.diff_ids` lists them. */
export function chainIds(diffIds: readonly DiffId[]): ChainId[] {
  const chain: ChainId[] = [];
  for (const diffId of diffIds) chain.push(chainId(chain.at(-1), diffId));
  return chain;
}
