// Named trees as stacks of layer directories that stay as they are while they are compared.

import type { Digest } from '../core/index.js';
import type { ChainId } from '../image/index.js';
import type { ContainerRecord, Store } from '../store/index.js';
import { baseDirectories, lowerLayers } from './lower-directories.js';
import { readableUpper } from './readable-upper.js';
import type { NamedTree } from './tree-name.js';

export interface OpenTree {
  readonly kind: NamedTree['kind'];
  /** All its layer directories, top first. */
  readonly directories: readonly string[];
  /** What it is compared with if nothing else is named: a container's image, what a layer lies on. Top first. */
  readonly base: readonly string[];
  /** Its layers, bottom first; a container's writable one and a directory are none. */
  readonly layers: readonly ChainId[];
  /** Whose history tells of the layers. */
  readonly image?: Digest;
  /** Of a container, as it is under its lock. */
  readonly record?: ContainerRecord;
}

export interface OpenTrees extends Disposable {
  readonly trees: readonly OpenTree[];
}

/** Holds the locks of the containers among the trees until disposed of. A mounted one may go on changing. Throws `not-found`. */
export async function openTrees(store: Store, named: readonly NamedTree[]): Promise<OpenTrees> {
  const records = new Map(named.flatMap((tree) => ('record' in tree ? [[tree.record.id, tree.record]] : [])));
  const held: Disposable[] = [];
  const release = (): void => {
    for (const one of held.toReversed()) one[Symbol.dispose]();
  };
  try {
    // In the order of their IDs, so that two that lock the same containers do not wait for each other.
    for (const id of [...records.keys()].sort()) held.push(await store.containers.lock(records.get(id)!));
    return { trees: named.map((tree) => openTree(store, tree, held)), [Symbol.dispose]: release };
  } catch (error) {
    release();
    throw error;
  }
}

/** What is to be disposed of afterwards goes to `held`. */
function openTree(store: Store, tree: NamedTree, held: Disposable[]): OpenTree {
  const { kind } = tree;
  if (kind === 'directory') return { kind, directories: [tree.path], base: store.layers.paths([]), layers: [] };
  if (kind === 'container') return openContainer(store, tree.record.id, held);
  if (kind === 'snapshot') return openSnapshot(store, tree.record.id, tree.frozen);
  const { layers } = tree;
  return {
    kind,
    directories: store.layers.paths(layers),
    base: store.layers.paths(layers.slice(0, -1)),
    layers,
    ...(kind === 'image' ? { image: tree.image } : {}),
  };
}

function openContainer(store: Store, id: string, held: Disposable[]): OpenTree {
  const record = store.containers.get(id);
  const scratch = (): string => {
    const staged = store.layers.stage();
    held.push({ [Symbol.dispose]: () => store.layers.discard(staged) });
    return staged.staged.path;
  };
  const readable = readableUpper({ store, record, scratch, live: true });
  held.push(readable);
  const { upper, lower } = readable;
  const layers = lowerLayers(store, record);
  return {
    kind: 'container',
    directories: [upper, ...lower],
    base: store.layers.paths(store.images.get(record.image).layers),
    layers,
    image: record.image,
    record,
  };
}

function openSnapshot(store: Store, id: string, frozen: string): OpenTree {
  const record = store.containers.get(id);
  return {
    kind: 'snapshot',
    directories: [
      ...store.frozen.stack(frozen).map((one) => store.frozen.path(one)),
      ...baseDirectories(store, record),
    ],
    base: store.layers.paths(store.images.get(record.image).layers),
    layers: lowerLayers(store, record),
    image: record.image,
  };
}
