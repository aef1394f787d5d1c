// What `inspect` shows: docker's field names, so that its templates work here.

import { containerSize, inspectContainer } from '../container/index.js';
import { hasCode, VeneerError } from '../core/index.js';
import type { Image, Store } from '../store/index.js';
import type { ArchivedImage } from '../transfer/index.js';
import { describeContainer } from './inspect-container.js';
import { describeImage } from './inspect-image.js';
import { describeLayer, findLayer } from './inspect-layer.js';

export const INSPECTED = ['container', 'image', 'layer'] as const;
export type Inspected = (typeof INSPECTED)[number];

export interface InspectOptions {
  /** Only this kind; else a container comes first, then an image, then a layer. */
  readonly type: Inspected | undefined;
  /** Adds what a container's files take. */
  readonly size: boolean;
}

function findContainer(store: Store, name: string, size: boolean): object | undefined {
  try {
    const description = describeContainer(store, inspectContainer(store, name));
    if (!size) return description;
    const { writable, layers } = containerSize(store, name);
    return { ...description, SizeRw: writable, SizeRootFs: writable + layers };
  } catch (error) {
    if (hasCode(error, 'not-found')) return undefined;
    throw error;
  }
}

function findImage(store: Store, name: string): object | undefined {
  const image = store.images.find(name);
  return image === undefined ? undefined : describeImage(store, image);
}

/** Describes a container, an image or a layer. Throws `not-found`. */
export function inspect(store: Store, name: string, { type, size }: InspectOptions): object {
  const finders: Readonly<Record<Inspected, () => object | undefined>> = {
    container: () => findContainer(store, name, size),
    image: () => findImage(store, name),
    layer: () => {
      const layer = findLayer(store, name);
      return layer === undefined ? undefined : describeLayer(store, layer);
    },
  };
  for (const kind of type === undefined ? INSPECTED : [type]) {
    const found = finders[kind]();
    if (found !== undefined) return found;
  }
  throw new VeneerError('not-found', `inspect '${name}': no such ${type ?? 'container, image or layer'}`, {
    hint: `'veneer ps -a' lists containers, 'veneer images' images${type === 'container' || type === 'layer' ? '' : '; --remote asks the registry'}`,
  });
}

export type OciDocument = 'config' | 'manifest';

function noManifest(id: string, hint: string): VeneerError {
  return new VeneerError('not-found', `image ${id} did not come with a manifest`, { hint });
}

/** The bytes of an image's OCI configuration or, where it came with one, of its newest manifest. Throws `not-found`. */
export function documentOf(store: Store, image: Image, document: OciDocument): Buffer {
  if (document === 'config') return store.images.configBytes(image.id);
  const [manifest] = store.images.manifests(image.id);
  if (manifest !== undefined) return store.images.manifestBytes(manifest.digest);
  throw noManifest(image.id, 'veneer save --format oci makes one');
}

/** The same for an image in an archive. */
export function archivedDocument({ id, configBytes, manifest }: ArchivedImage, document: OciDocument): Buffer {
  if (document === 'config') return configBytes;
  if (manifest !== undefined) return manifest.bytes;
  throw noManifest(id, "it is a docker archive; 'veneer load' takes it in");
}
