// The containers of an open store.

import {
  commitContainer,
  createContainer,
  inspectContainer,
  listContainers,
  mountContainer,
  previewCommit,
  removeContainer,
  unmount,
} from '../container/index.js';
import type { CommitChoice, CommitOptions, CommitProgress, Container, CreateOptions } from '../container/index.js';
import type { MountedContainer, PreviewedChange, Unmounted } from '../container/index.js';
import type { Image, Store } from '../store/index.js';
import { operation } from './operation.js';
import type { Operation } from './operation.js';

export interface CommitContainerOptions extends Omit<CommitOptions, 'reference' | 'onProgress'> {
  /** REPOSITORY[:TAG]. */
  readonly name?: string;
}

export class Containers {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** All containers, newest first. */
  async list(): Promise<Container[]> {
    return listContainers(this.#store);
  }

  /** By name, ID or the start of one. Throws `not-found`, and `invalid` for an ambiguous ID. */
  async get(name: string): Promise<Container> {
    return inspectContainer(this.#store, name);
  }

  /** Makes a container of an image: a writable layer over it. Throws `not-found`, `invalid`, and `already-exists` for a taken name. */
  async create(image: string, options: Omit<CreateOptions, 'image'> = {}): Promise<Container> {
    return createContainer(this.#store, { ...options, image });
  }

  /** Mounts it, at a directory of its own unless told; resolves when the mount answers. Throws `not-found`, `in-use`. */
  async mount(name: string, options: { mountpoint?: string } = {}): Promise<MountedContainer> {
    return mountContainer(this.#store, name, options);
  }

  /** Un-mounts a container, or what is mounted at a directory; resolves when everything is on disk. Throws `not-found`. */
  async unmount(target: string): Promise<Unmounted> {
    return unmount(this.#store, target);
  }

  /** Makes an image of what the container has become. */
  commit(name: string, options: CommitContainerOptions = {}): Operation<Image, CommitProgress> {
    const { name: reference, ...others } = options;
    return operation((onProgress) =>
      commitContainer(this.#store, name, {
        ...others,
        ...(reference === undefined ? {} : { reference }),
        onProgress,
      }),
    );
  }

  /** What `commit` would write with the same choice, and what it would leave out, sorted by path. Makes nothing. */
  async previewCommit(name: string, choice: CommitChoice = {}): Promise<PreviewedChange[]> {
    return previewCommit(this.#store, name, choice);
  }

  /** Removes it with its changes; resolves to its ID. Throws `not-found`, and `in-use` while mounted, unless `force` un-mounts it. */
  async remove(name: string, options: { force?: boolean } = {}): Promise<string> {
    return removeContainer(this.#store, name, options);
  }
}
