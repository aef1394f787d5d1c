// A layer of the store: what docker does not show.

import { VeneerError } from '../core/index.js';
import { familiarReference, parseReference } from '../image/index.js';
import type { Layer, Store } from '../store/index.js';

const PREFIX = /^(?:sha256:)?([0-9a-f]{1,64})$/;

/** The layer whose ChainID, else DiffID, starts like this. Throws `invalid` where that is more than one. */
export function findLayer(store: Store, text: string): Layer | undefined {
  const hex = PREFIX.exec(text)?.[1];
  if (hex === undefined) return undefined;
  const all = store.layers.list();
  const start = `sha256:${hex}`;
  const byChain = all.filter(({ chainId }) => chainId.startsWith(start));
  const found = byChain.length > 0 ? byChain : all.filter(({ diffId }) => diffId.startsWith(start));
  if (found.length > 1) {
    throw new VeneerError('invalid', `layer '${text}' is ambiguous: more than one starts with it`, {
      hint: 'give more digits; layers that lie on different ones have the same DiffID, but other ChainIDs',
    });
  }
  return found[0];
}

export function describeLayer(store: Store, layer: Layer): object {
  const { chainId, diffId, parent, size, created } = layer;
  const images = store.images.list({ all: true }).filter(({ layers }) => layers.includes(chainId));
  return {
    Id: chainId,
    DiffId: diffId,
    Parent: parent ?? '',
    Created: created.toISOString(),
    Size: size,
    Directory: store.layers.path(chainId),
    Images: images.map(({ id, references: [name] }) =>
      name === undefined ? id : familiarReference(parseReference(name)),
    ),
  };
}
