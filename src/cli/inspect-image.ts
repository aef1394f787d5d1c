// An image as `docker image inspect` shows it.

import { familiarName, familiarReference, parseReference } from '../image/index.js';
import type { ImageConfig } from '../image/index.js';
import type { Image, Store } from '../store/index.js';
import type { ArchivedImage, RemoteImage } from '../transfer/index.js';
import { dockerConfig } from './docker-config.js';

export const DRIVER = 'veneer';

/** What Go's zero time is as JSON. */
const NEVER = '0001-01-01T00:00:00Z';

const familiar = (names: readonly string[]): string[] => names.map((name) => familiarReference(parseReference(name)));

/** Fields of Docker's own, which configurations from elsewhere may have with any content. */
function text(document: object, field: string): string {
  const value = Object.hasOwn(document, field) ? (document as Record<string, unknown>)[field] : undefined;
  return typeof value === 'string' ? value : '';
}

/** The parts that the configuration alone tells. */
function describeConfig(document: ImageConfig): object {
  const osVersion = text(document, 'os.version');
  return {
    Comment: text(document, 'comment') || (document.history?.at(-1)?.comment ?? ''),
    Created: document.created ?? '',
    DockerVersion: text(document, 'docker_version'),
    Author: document.author ?? '',
    Config: dockerConfig(document.config ?? {}),
    Architecture: document.architecture,
    ...(document.variant === undefined ? {} : { Variant: document.variant }),
    Os: document.os,
    ...(osVersion === '' ? {} : { OsVersion: osVersion }),
  };
}

function describeRootfs({ rootfs: { type, diff_ids: layers } }: ImageConfig): object {
  return { Type: type, ...(layers.length === 0 ? {} : { Layers: layers }) };
}

export function describeImage(store: Store, image: Image): object {
  const document = store.images.config(image.id);
  return {
    Id: image.id,
    RepoTags: familiar(image.references),
    RepoDigests: familiar(image.digests),
    Parent: text(document, 'parent'),
    ...describeConfig(document),
    Size: image.size,
    VirtualSize: image.size,
    GraphDriver: { Name: DRIVER, Data: { LowerDir: store.layers.paths(image.layers).join(':') } },
    RootFS: describeRootfs(document),
    Metadata: { LastTagTime: image.references.length === 0 ? NEVER : image.added.toISOString() },
  };
}

/** An image that is in an archive: its size is that of its layers there, and nobody has tagged it here. */
export function describeArchived({ id, config, manifest, names, layerSizes }: ArchivedImage): object {
  const size = layerSizes.reduce((sum, one) => sum + one, 0);
  const repositories = [...new Set(names.map(familiarName))];
  return {
    Id: id,
    RepoTags: names.map(familiarReference),
    RepoDigests: manifest === undefined ? [] : repositories.map((name) => `${name}@${manifest.digest}`),
    ...describeElsewhere(config, size),
  };
}

/** An image that is in a registry: its size is that of its layers there, compressed. */
export function describeRemote({ id, config, digest, manifest, reference }: RemoteImage): object {
  const size = manifest.document.layers.reduce((sum, layer) => sum + layer.size, 0);
  return {
    Id: id,
    RepoTags: reference.digest === undefined ? [familiarReference(reference)] : [],
    RepoDigests: [`${familiarName(reference)}@${digest}`],
    ...describeElsewhere(config, size),
  };
}

/** Nobody has tagged it here. */
function describeElsewhere(config: ImageConfig, size: number): object {
  return {
    Parent: text(config, 'parent'),
    ...describeConfig(config),
    Size: size,
    VirtualSize: size,
    RootFS: describeRootfs(config),
    Metadata: { LastTagTime: NEVER },
  };
}
