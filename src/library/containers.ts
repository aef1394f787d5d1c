// The containers of an open store.

import {
  commitContainer,
  createContainer,
  inspectContainer,
  killContainer,
  listContainers,
  mountContainer,
  pauseContainer,
  previewCommit,
  removeContainer,
  restartContainer,
  startContainer,
  stopContainer,
  unmount,
  unpauseContainer,
  waitContainer,
} from '../container/index.js';
import type { CommitChoice, CommitOptions, CommitProgress, Container, CreateOptions } from '../container/index.js';
import type { MountedContainer, PreviewedChange, StopOptions, Unmounted, WaitOptions } from '../container/index.js';
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

  /** Runs its command, by itself; harmless for one that runs. Resolves to its ID. Throws `not-found`, and `StartError`. */
  async start(name: string): Promise<string> {
    return startContainer(this.#store, name);
  }

  /** Ends it: a signal, and after some seconds SIGKILL. Resolves to its ID when it has ended. */
  async stop(name: string, options: StopOptions = {}): Promise<string> {
    return stopContainer(this.#store, name, options);
  }

  /** Sends a signal, SIGKILL by default, to its first process. Throws `not-found`, and `invalid` for one that does not run. */
  async kill(name: string, signal?: string): Promise<string> {
    return killContainer(this.#store, name, signal);
  }

  /** Stops it, if it runs, and starts it. */
  async restart(name: string, options: StopOptions = {}): Promise<string> {
    return restartContainer(this.#store, name, options);
  }

  /** Holds all its processes. */
  async pause(name: string): Promise<string> {
    return pauseContainer(this.#store, name);
  }

  /** Lets them go on. */
  async unpause(name: string): Promise<string> {
    return unpauseContainer(this.#store, name);
  }

  /** Resolves to the exit code of its run, when that has ended. */
  async wait(name: string, options: WaitOptions = {}): Promise<number> {
    return waitContainer(this.#store, name, options);
  }

  /** Removes it with its changes; resolves to its ID. Throws `not-found`, and `in-use` while mounted, unless `force` un-mounts it. */
  async remove(name: string, options: { force?: boolean } = {}): Promise<string> {
    return removeContainer(this.#store, name, options);
  }
}
