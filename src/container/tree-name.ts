// What a text on the command line means where trees are compared: a container, an image, a state of one, a layer, a directory.

import { statSync } from 'node:fs';
import { VeneerError, digestHex } from '../core/index.js';
import type { Digest } from '../core/index.js';
import { parseReference } from '../image/index.js';
import type { ChainId } from '../image/index.js';
import type { ContainerRecord, Layer, Store } from '../store/index.js';

export type NamedTree =
  | { readonly kind: 'container'; readonly record: ContainerRecord }
  /** What a container was at a snapshot. */
  | { readonly kind: 'snapshot'; readonly record: ContainerRecord; readonly frozen: string }
  /** An image, or what it was up to one of its layers. Bottom first. */
  | { readonly kind: 'image'; readonly image: Digest; readonly layers: readonly ChainId[] }
  /** A layer with all that it lies on. Bottom first. */
  | { readonly kind: 'layer'; readonly layers: readonly ChainId[] }
  | { readonly kind: 'directory'; readonly path: string };

/** Shorter ones would often be the beginning of a name. */
const DIGITS = /^(?:sha256:)?([0-9a-f]{4,64})$/;

/** Whether a text can be nothing but a path. */
export const isPath = (text: string): boolean => /^\.{0,2}(?:\/|$)/.test(text);

/**
 * Finds what a text names: a path (`.`, or what begins with `/`, `./` or `../`) is a directory; else a container, an
 * image, CONTAINER@SNAPSHOT, IMAGE@LAYER, a layer by its ChainID or DiffID or the beginning of one, or, with a slash, a directory. Throws `not-found`, and
 * `invalid` for what is ambiguous.
 */
export function findTree(store: Store, text: string): NamedTree {
  if (isPath(text)) return directoryTree(text);
  const tree =
    containerTree(store, text) ??
    imageTree(store, text) ??
    snapshotTree(store, text) ??
    stateTree(store, text) ??
    layerTree(store, text);
  if (tree !== undefined) return tree;
  if (text.includes('/') && isDirectory(text)) return directoryTree(text);
  throw new VeneerError('not-found', `no such container, image or layer: ${text}`, {
    hint: "'veneer ps -a' lists containers, 'veneer images' images; a directory is written ./DIR or /DIR",
  });
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function directoryTree(path: string): NamedTree {
  if (!isDirectory(path)) throw new VeneerError('not-found', `no such directory: ${path}`);
  return { kind: 'directory', path };
}

function containerTree(store: Store, text: string): NamedTree | undefined {
  const record = store.containers.find(text);
  return record === undefined ? undefined : { kind: 'container', record };
}

function imageTree(store: Store, text: string): NamedTree | undefined {
  if (!isImageName(text)) return undefined;
  const image = store.images.find(text);
  return image === undefined ? undefined : { kind: 'image', image: image.id, layers: image.layers };
}

/** What cannot be the name of an image, such as IMAGE@2, may be something else. */
function isImageName(text: string): boolean {
  if (/^[0-9a-f]{64}$/.test(text)) return true;
  try {
    parseReference(text);
    return true;
  } catch (error) {
    if (error instanceof VeneerError) return false;
    throw error;
  }
}

function snapshotTree(store: Store, text: string): NamedTree | undefined {
  const [, name = '', snapshot = ''] = /^([^@]+)@([^@]+)$/.exec(text) ?? [];
  const record = name === '' ? undefined : store.containers.find(name);
  if (record === undefined) return undefined;
  return { kind: 'snapshot', record, frozen: store.frozen.snapshot(record.id, snapshot).frozen };
}

/** IMAGE@LAYER: the layer by its number from the bottom, or as it is found alone. */
function stateTree(store: Store, text: string): NamedTree | undefined {
  const [, name = '', layer = ''] = /^(.+)@([^@]+)$/.exec(text) ?? [];
  if (!isImageName(name)) return undefined;
  const image = store.images.find(name);
  if (image === undefined) return undefined;
  const count = image.layers.length;
  if (/^[0-9]{1,3}$/.test(layer)) {
    const number = Number(layer);
    if (number > 0 && number <= count) return { kind: 'image', image: image.id, layers: image.layers.slice(0, number) };
    throw new VeneerError('not-found', `image ${name} has no layer ${layer}: it has ${String(count)}`);
  }
  const [found, another] = matching(
    image.layers.map((id) => store.layers.get(id)),
    layer,
  );
  if (another !== undefined) throw ambiguous(layer);
  if (found === undefined) {
    throw new VeneerError('not-found', `image ${name} has no layer '${layer}'`, {
      hint: `write a number from 1 (the bottom) to ${String(count)}, or four or more digits of a DiffID or ChainID`,
    });
  }
  return { kind: 'image', image: image.id, layers: image.layers.slice(0, image.layers.indexOf(found.chainId) + 1) };
}

function layerTree(store: Store, text: string): NamedTree | undefined {
  if (!DIGITS.test(text)) return undefined;
  const [found, another] = matching(store.layers.list(), text);
  if (another !== undefined) throw ambiguous(text);
  return found === undefined ? undefined : { kind: 'layer', layers: chainOf(store, found) };
}

/** The layers of which the text is the ID or the beginning of one; a ChainID counts more than a DiffID. */
function matching(layers: readonly Layer[], text: string): Layer[] {
  const digits = DIGITS.exec(text)?.[1];
  if (digits === undefined) return [];
  const byChain = layers.filter(({ chainId }) => digestHex(chainId).startsWith(digits));
  return byChain.length > 0 ? byChain : layers.filter(({ diffId }) => digestHex(diffId).startsWith(digits));
}

function ambiguous(text: string): VeneerError {
  return new VeneerError('invalid', `layer '${text}' is ambiguous: more than one layer's ID starts with it`, {
    hint: 'give more digits, the ChainID, or IMAGE@NUMBER',
  });
}

function chainOf(store: Store, layer: Layer): ChainId[] {
  const chain: ChainId[] = [];
  for (let at: Layer | undefined = layer; at !== undefined;) {
    chain.unshift(at.chainId);
    at = at.parent === undefined ? undefined : store.layers.get(at.parent);
  }
  return chain;
}
