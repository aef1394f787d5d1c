// Containers as the library shows them: the record, what the kernel says of its mount, and its configuration.

import { VeneerError } from '../core/index.js';
import type { Digest } from '../core/index.js';
import type { ChainId, ImageConfig } from '../image/index.js';
import { DEFAULT_HOST_CONFIG } from '../runtime/index.js';
import type { ContainerConfig, HostConfig, MountPoint } from '../runtime/index.js';
import type { ContainerRecord, Store } from '../store/index.js';
import { readContainerConfig } from './container-config.js';
import type { ContainerDocument } from './container-config.js';
import { documentOf } from './document.js';
import { containerState } from './state.js';
import type { ContainerState } from './state.js';

export interface Container {
  /** 64 hex digits. */
  readonly id: string;
  readonly name: string;
  readonly image: Digest;
  /** The image as it was asked for. */
  readonly imageReference: string;
  readonly created: Date;
  readonly state: 'created' | 'mounted';
  /** What it does: the processes, and how its last run ended. */
  readonly run: ContainerState;
  /** Set while it is mounted. */
  readonly mountpoint: string | undefined;
  /** As Docker shows it: the entry point and its arguments. */
  readonly command: readonly string[];
  /** How it runs; empty where its files are damaged. */
  readonly config: ContainerConfig;
  /** How it is tied to its host. */
  readonly host: HostConfig;
  /** What is mounted in it. */
  readonly mounts: readonly MountPoint[];
  readonly labels: Readonly<Record<string, string>>;
  /** What its writable layer lies on, bottom first: the layers of its image, and those committed since. */
  readonly layers: readonly ChainId[];
  /** The layers that commits put on top of its image, bottom first. */
  readonly committed: readonly ChainId[];
  /** Its directory in the store. */
  readonly directory: string;
}

/** Whether its server answers, or will when it is let go on. */
function isMounted({ fileSystem }: ContainerState): boolean {
  return fileSystem === 'live' || (typeof fileSystem === 'object' && fileSystem.state === 'halted');
}

export function committedLayers(record: ContainerRecord): ChainId[] {
  return record.committed.map((layer) => layer.chainId);
}

/** The configuration of its image, with what the user changed in it. */
export function configOf(store: Store, record: ContainerRecord): ImageConfig {
  return readContainerConfig(store.containers.directory(record.id), store.images.config(record.image));
}

export function viewOf(store: Store, record: ContainerRecord): Container {
  const run = containerState(store, record);
  const mountpoint = isMounted(run) ? record.mountpoint : undefined;
  const committed = committedLayers(record);
  const { config, host, mounts } = shownDocument(store, record);
  const { id, name, image, imageReference, created, labels } = record;
  return {
    id,
    name,
    image,
    imageReference,
    created,
    state: mountpoint === undefined ? 'created' : 'mounted',
    run,
    mountpoint,
    command: [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])],
    config,
    host,
    mounts,
    labels,
    layers: [...store.images.get(image).layers, ...committed],
    committed,
    directory: store.containers.directory(id),
  };
}

/** A container whose files are damaged is listed without. */
function shownDocument(store: Store, record: ContainerRecord): ContainerDocument {
  try {
    return documentOf(store, record);
  } catch (error) {
    if (error instanceof VeneerError) return { config: {}, host: DEFAULT_HOST_CONFIG, mounts: [] };
    throw error;
  }
}

/** One container, by name, ID or the start of one. Throws `not-found`, and `invalid` for an ambiguous ID. */
export function inspectContainer(store: Store, reference: string): Container {
  return viewOf(store, store.containers.resolve(reference));
}

/** All containers, newest first. */
export function listContainers(store: Store): Container[] {
  return store.containers.list().map((record) => viewOf(store, record));
}
