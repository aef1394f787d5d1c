// What a store takes on disk, and what of it could go: `system df`.

import { setImmediate as turn } from 'node:timers/promises';
import { toByteString } from '../core/index.js';
import type { Digest } from '../core/index.js';
import type { ChainId } from '../image/index.js';
import { mountEntries } from '../sys/index.js';
import type { ContainerRecord } from './container-rows.js';
import { groupBy } from './group-by.js';
import type { Image } from './image-rows.js';
import type { Layer } from './layers.js';
import type { StoreParts } from './parts.js';
import { treeSize } from './tree-size.js';
import type { VolumeRecord } from './volume-rows.js';

export interface Usage {
  readonly totalCount: number;
  /** Those in use: images and volumes with containers, mounted containers, layers and blobs of such images. */
  readonly active: number;
  /** In bytes, content only, each thing once. */
  readonly size: number;
  /** What would be freed by removing what is not in use. */
  readonly reclaimable: number;
}

export interface ImageUsage {
  readonly image: Image;
  /** In bytes: of layers other images have, too; and of those no other image has. */
  readonly sharedSize: number;
  readonly uniqueSize: number;
  readonly containers: number;
}

export interface ContainerUsage {
  readonly container: ContainerRecord;
  /** Of what it has changed, in bytes: its upper directory, its snapshots that no other container lies on, and its committed layers that no image has. */
  readonly size: number;
  readonly isMounted: boolean;
}

export interface VolumeUsage {
  readonly volume: VolumeRecord;
  readonly size: number;
  /** How many containers have it. */
  readonly links: number;
}

export interface StoreUsage {
  /** Their layers, each once. */
  readonly images: Usage & { readonly items: readonly ImageUsage[] };
  readonly containers: Usage & { readonly items: readonly ContainerUsage[] };
  readonly volumes: Usage & { readonly items: readonly VolumeUsage[] };
  /** All unpacked layers: of images, of containers, and of neither. */
  readonly layers: Usage;
  /** Configurations, manifests, and layers kept compressed. */
  readonly blobs: Usage;
}

export async function storeUsage(parts: StoreParts, options: { signal?: AbortSignal } = {}): Promise<StoreUsage> {
  const inventory = parts.lock.exclusively(() => takeInventory(parts));
  const items: ContainerUsage[] = [];
  for (const container of inventory.containers) {
    options.signal?.throwIfAborted();
    await turn();
    items.push(containerUsage(parts, inventory, container));
  }
  const volumes: VolumeUsage[] = [];
  for (const volume of parts.volumes.list()) {
    options.signal?.throwIfAborted();
    await turn();
    const { name } = volume;
    volumes.push({ volume, size: treeSize(parts.volumes.path(name)), links: parts.volumes.users(name).length });
  }
  return {
    images: imagesUsage(inventory),
    containers: { ...containersUsage(items), items },
    volumes: { ...summarize(volumes, ({ links }) => links > 0), items: volumes },
    layers: summarize(inventory.layers.values(), ({ chainId }) => inventory.active.layers.has(chainId)),
    blobs: summarize(inventory.blobs, ({ digest }) => inventory.active.blobs.has(digest)),
  };
}

interface Inventory {
  readonly images: readonly Image[];
  readonly containers: readonly ContainerRecord[];
  readonly layers: ReadonlyMap<ChainId, Layer>;
  readonly blobs: readonly { readonly digest: Digest; readonly size: number }[];
  /** How many images have a layer. */
  readonly sharing: ReadonlyMap<ChainId, number>;
  /** What containers lie on. */
  readonly active: {
    readonly images: ReadonlyMap<Digest, number>;
    readonly layers: ReadonlySet<ChainId>;
    readonly blobs: ReadonlySet<Digest>;
  };
  readonly mounted: ReadonlySet<string>;
}

function takeInventory({ images, containers, layers, content }: StoreParts): Inventory {
  const all = images.list({ all: true });
  const boxes = containers.list();
  const users = new Map([...groupBy(boxes, ({ image }) => image)].map(([image, of]) => [image, of.length]));
  const used = all.filter(({ id }) => users.has(id));
  const sharing = new Map<ChainId, number>();
  for (const id of all.flatMap((image) => image.layers)) sharing.set(id, (sharing.get(id) ?? 0) + 1);
  const manifests = images.allManifests().filter(({ image }) => users.has(image));
  return {
    images: all,
    containers: boxes,
    layers: new Map(layers.list().map((layer) => [layer.chainId, layer])),
    blobs: content.list().map((digest) => ({ digest, size: content.size(digest) })),
    sharing,
    active: {
      images: users,
      layers: new Set([
        ...used.flatMap((image) => image.layers),
        ...boxes.flatMap(({ committed }) => committed.map(({ chainId }) => chainId)),
      ]),
      blobs: new Set([
        ...users.keys(),
        ...manifests.flatMap(({ digest, layers: own }) => [digest, ...own.map((layer) => layer.digest)]),
      ]),
    },
    mounted: new Set(mountEntries().map(({ mountpoint }) => mountpoint)),
  };
}

function summarize<T extends { readonly size: number }>(things: Iterable<T>, isActive: (thing: T) => boolean): Usage {
  const all = [...things];
  const active = all.filter(isActive);
  const size = sum(all);
  return { totalCount: all.length, active: active.length, size, reclaimable: size - sum(active) };
}

function sum(things: Iterable<{ readonly size: number }>): number {
  let total = 0;
  for (const { size } of things) total += size;
  return total;
}

function imagesUsage({ images, layers, sharing, active }: Inventory): StoreUsage['images'] {
  const sizeOf = (ids: readonly ChainId[]): number => sum(ids.map((id) => layers.get(id) ?? { size: 0 }));
  const items = images.map((image) => {
    const uniqueSize = sizeOf(image.layers.filter((id) => sharing.get(id) === 1));
    const containers = active.images.get(image.id) ?? 0;
    return { image, sharedSize: image.size - uniqueSize, uniqueSize, containers };
  });
  const { size, reclaimable } = summarize(
    [...sharing.keys()].map((id) => ({ id, size: layers.get(id)?.size ?? 0 })),
    ({ id }) => active.layers.has(id),
  );
  return { totalCount: images.length, active: active.images.size, size, reclaimable, items };
}

function containerUsage(
  { containers, frozen }: StoreParts,
  inventory: Inventory,
  container: ContainerRecord,
): ContainerUsage {
  const own = container.committed.filter(({ chainId }) => !inventory.sharing.has(chainId));
  const committed = sum(own.map(({ chainId }) => inventory.layers.get(chainId) ?? { size: 0 }));
  const { mountpoint } = container;
  const shared = new Set(
    inventory.containers.filter(({ id }) => id !== container.id).flatMap(({ frozen: ids }) => ids),
  );
  const ownFrozen = frozen.ofContainer(container.id).filter((id) => !shared.has(id));
  const kept = ownFrozen.reduce((total, id) => total + treeSize(frozen.path(id)), 0);
  return {
    container,
    size: committed + kept + treeSize(containers.upper(container.id)),
    isMounted: mountpoint !== undefined && inventory.mounted.has(toByteString(mountpoint)),
  };
}

function containersUsage(items: readonly ContainerUsage[]): Usage {
  return summarize(items, ({ isMounted }) => isMounted);
}
