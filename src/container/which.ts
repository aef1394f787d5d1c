// `which`: the layer a file is from, the instruction that made that layer, and what it hides.

import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { VeneerError, hasCode, toByteString } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import type { ChainId, DiffId } from '../image/index.js';
import { tracePath } from '../layer/index.js';
import type { FileFacts, TraceStatus } from '../layer/index.js';
import type { Store } from '../store/index.js';
import { mountEntries } from '../sys/index.js';
import { MOUNT_TYPE } from './mount-state.js';
import { openTrees } from './open-trees.js';
import type { OpenTree } from './open-trees.js';
import { findTree, isPath } from './tree-name.js';
import type { NamedTree } from './tree-name.js';

/** What one layer has to say of a path. */
export interface Origin {
  readonly status: TraceStatus;
  /** From 1, the bottom; undefined for a container's writable layer. */
  readonly layer: number | undefined;
  readonly diffId: DiffId | undefined;
  readonly chainId: ChainId | undefined;
  /** What it is about in the layer, from its root. */
  readonly path: ByteString;
  readonly facts: FileFacts | undefined;
  /** What made the layer, as the image's history has it. */
  readonly createdBy: string;
  readonly comment: string;
  /** RFC 3339. */
  readonly created: string | undefined;
}

export interface Whereabouts {
  /** In the tree, without a leading slash and without symlinks on the way. */
  readonly path: ByteString;
  /** Top first. */
  readonly origins: readonly Origin[];
}

/**
 * Tells what a path comes from: a path on a mounted container or image, or NAME:PATH of one that need not be mounted.
 * Throws `not-found` for a path no layer has, and for one that is on no mount of this store's.
 */
export async function whichLayers(store: Store, target: string): Promise<Whereabouts> {
  const { tree, path } = locate(store, target);
  using open = await openTrees(store, [tree]);
  const [first] = open.trees;
  const trace = first === undefined ? undefined : tracePath(first.directories, path);
  if (first === undefined || trace === undefined) {
    throw new VeneerError('not-found', `no layer has '${target}'`);
  }
  const describe = layersOf(store, first);
  return {
    path: trace.path,
    // Without layers there is an empty directory in their place, which is nobody's.
    origins: trace.entries
      .filter(({ layer }) => layer === 0 || first.layers.length > 0)
      .map(({ layer, status, path: inLayer, facts }) => ({ status, path: inLayer, facts, ...describe(layer) })),
  };
}

interface Located {
  readonly tree: NamedTree;
  readonly path: ByteString;
}

function locate(store: Store, target: string): Located {
  const colon = target.includes(':/') ? target.indexOf(':/') : target.lastIndexOf(':');
  if (isPath(target) || colon < 0) return locateMounted(store, target);
  const tree = findTree(store, target.slice(0, colon));
  if (tree.kind === 'directory') throw new VeneerError('invalid', `'${target}': a directory has no layers`);
  return { tree, path: toByteString(target.slice(colon + 1)) };
}

/** The kernel resolves what leads to the mount; what lies in it is for the layers to say, as it may be gone. */
function locateMounted(store: Store, target: string): Located {
  const names = resolve(target).split('/').slice(1);
  const mounts = mountEntries().flatMap(({ type, mountpoint }) => (type === MOUNT_TYPE ? [mountpoint] : []));
  for (let count = 0; count <= names.length; count += 1) {
    const real = realPath(`/${names.slice(0, count).join('/')}`);
    if (real === undefined) break;
    const mountpoint = mounts.findLast((one) => real === one || real.startsWith(`${one}/`));
    if (mountpoint === undefined) continue;
    const tree = mountedTree(store, Buffer.from(mountpoint, 'latin1').toString('utf8'));
    if (tree === undefined) {
      throw new VeneerError('not-found', `'${target}' is on a mount that is not of this store`, {
        hint: "'veneer mount' lists the mounted containers",
      });
    }
    const rest = toByteString(names.slice(count).join('/'));
    return { tree, path: `${real.slice(mountpoint.length)}/${rest}` };
  }
  throw new VeneerError('not-found', `'${target}' is on no mounted container or image`, {
    hint: 'name one and a path in it: IMAGE:PATH or CONTAINER:PATH',
  });
}

function realPath(path: string): ByteString | undefined {
  try {
    return toByteString(realpathSync(path));
  } catch (error) {
    // ENOTCONN: a mount whose server has died.
    if (['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP', 'ENOTCONN'].some((code) => hasCode(error, code))) return undefined;
    throw error;
  }
}

function mountedTree(store: Store, mountpoint: string): NamedTree | undefined {
  const record = store.containers.list().find((one) => one.mountpoint === mountpoint);
  if (record !== undefined) return { kind: 'container', record };
  const image = store.mounts.imageAt(mountpoint);
  return image === undefined ? undefined : { kind: 'image', image, layers: store.images.get(image).layers };
}

type LayerWords = Omit<Origin, 'status' | 'path' | 'facts'>;

/** What there is to say of the layers of a tree by their place, 0 being the top one. */
function layersOf(store: Store, tree: OpenTree): (place: number) => LayerWords {
  const history = new Map(
    (tree.image === undefined ? [] : store.images.history(tree.image)).map((entry) => [entry.layer, entry]),
  );
  const committed = new Map(tree.record?.committed.map((layer) => [layer.chainId, layer.history]) ?? []);
  const silent = { createdBy: '', comment: '', created: undefined };
  return (place) => {
    const number = tree.directories.length - place;
    const chainId = tree.layers[number - 1];
    if (chainId === undefined) return { ...silent, layer: undefined, diffId: undefined, chainId: undefined };
    const own = committed.get(chainId);
    const { createdBy = '', comment = '', created } = history.get(chainId) ?? { ...own, createdBy: own?.created_by };
    return { layer: number, diffId: store.layers.get(chainId).diffId, chainId, createdBy, comment, created };
  };
}
