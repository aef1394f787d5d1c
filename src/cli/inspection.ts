// What `inspect` shows: docker's field names, so that its templates work here.

import path from 'node:path';
import { inspectContainer } from '../container/index.js';
import type { Container } from '../container/index.js';
import { hasCode, VeneerError } from '../core/index.js';
import { familiarReference, parseReference } from '../image/index.js';
import type { Image, Store } from '../store/index.js';

const DRIVER = 'veneer';

/** As `docker image inspect`. */
function describeImage(store: Store, image: Image): object {
  const { config, rootfs, history, ...document } = store.images.config(image.id);
  return {
    Id: image.id,
    RepoTags: image.references.map((reference) => familiarReference(parseReference(reference))),
    Created: document.created ?? '',
    Author: document.author ?? '',
    Comment: history?.at(-1)?.comment ?? '',
    Architecture: document.architecture,
    ...(document.variant === undefined ? {} : { Variant: document.variant }),
    Os: document.os,
    Size: image.size,
    Config: config ?? {},
    RootFS: { Type: rootfs.type, Layers: rootfs.diff_ids },
    GraphDriver: { Name: DRIVER, Data: { LowerDir: store.layers.paths(image.layers).join(':') } },
  };
}

/** As `docker container inspect`. */
function describeContainer(store: Store, container: Container): object {
  const { id, name, created, image, imageReference, state, mountpoint, command, labels, layers, directory } = container;
  return {
    Id: id,
    Name: `/${name}`,
    Created: created.toISOString(),
    Image: image,
    State: { Status: state },
    Config: { Image: imageReference, Cmd: command, Labels: labels },
    Mountpoint: mountpoint ?? '',
    GraphDriver: {
      Name: DRIVER,
      Data: {
        LowerDir: store.layers.paths(layers).join(':'),
        UpperDir: path.join(directory, 'upper'),
        WorkDir: path.join(directory, 'work'),
        MergedDir: mountpoint ?? '',
      },
    },
  };
}

function findContainer(store: Store, name: string): object | undefined {
  try {
    return describeContainer(store, inspectContainer(store, name));
  } catch (error) {
    if (hasCode(error, 'not-found')) return undefined;
    throw error;
  }
}

/** Describes a container or an image; a container comes first. Throws `not-found`. */
export function inspect(store: Store, name: string, type: string | undefined): object {
  const container = type === 'image' ? undefined : findContainer(store, name);
  if (container !== undefined) return container;
  const image = type === 'container' ? undefined : store.images.find(name);
  if (image !== undefined) return describeImage(store, image);
  throw new VeneerError('not-found', `inspect '${name}': no such ${type ?? 'container or image'}`, {
    hint: "'veneer ps -a' lists containers, 'veneer images' images",
  });
}
