// The way in: a store, and what can be done with it.

import { compareTrees, diffTrees, exportTree, patchTrees, whichLayers } from '../container/index.js';
import type { DiffTreesOptions, Whereabouts } from '../container/index.js';
import type { ByteSink, Change, DetailedChange, PatchLine } from '../layer/index.js';
import { Store, defaultRoot } from '../store/index.js';
import type { DeepCheckProgress, Finding, Pruned, Repaired, StoreUsage } from '../store/index.js';
import { layerTar, writeOutputFile } from '../transfer/index.js';
import { Containers } from './containers.js';
import { Images } from './images.js';
import { operation } from './operation.js';
import type { Operation } from './operation.js';

export interface OpenStoreOptions {
  /** The store's directory, made where it is missing. By default the one that the command line uses: VENEER_ROOT, or the user's. */
  readonly root?: string;
}

export interface DiffOptions {
  /** Only these paths in the trees, and what is below them. */
  readonly paths?: readonly string[];
}

/** An open store. Any number of processes may have it open at once. Close it when done. */
export class OpenStore implements AsyncDisposable {
  readonly #store: Store;
  readonly images: Images;
  readonly containers: Containers;

  constructor(store: Store) {
    this.#store = store;
    this.images = new Images(store);
    this.containers = new Containers(store);
  }

  /** The store's directory: absolute, without symlinks. */
  get root(): string {
    return this.#store.root;
  }

  /**
   * The changes that turn one tree into another, sorted by path. Each is a container or an image by name or ID, IMAGE@LAYER (a
   * number from 1, the bottom, or an ID), a layer by its ChainID or DiffID, or a directory's path. Without `to`: what `from`
   * itself has changed, a container against its image, an image or a layer by its top layer. Throws `not-found`.
   */
  diff(from: string, to?: string, options: DiffOptions = {}): AsyncIterable<Change> {
    return diffTrees(this.#store, trees(from, to, options));
  }

  /** As `diff`, with sizes, modes and owners, and with everything below a deleted directory. */
  compare(from: string, to?: string, options: DiffOptions = {}): AsyncIterable<DetailedChange> {
    return compareTrees(this.#store, trees(from, to, options));
  }

  /** As `diff`, as the lines of a patch, those of one change at a time. Files above `maxFileSize` bytes are not looked into. */
  patch(
    from: string,
    to?: string,
    options: DiffOptions & { readonly maxFileSize?: number } = {},
  ): AsyncIterable<readonly PatchLine[]> {
    return patchTrees(this.#store, { ...trees(from, to, options), maxFileSize: options.maxFileSize });
  }

  /**
   * Where a file comes from, top layer first: NAME:PATH of an image or container, or a path on a mounted one. Throws
   * `not-found` for a path no layer has.
   */
  async which(target: string): Promise<Whereabouts> {
    return whichLayers(this.#store, target);
  }

  /**
   * Writes all that a container or an image shows as one tar, to a file, which is there whole or not at all, or to a sink.
   * Throws `not-found`.
   */
  export(
    name: string,
    target: { readonly path: string } | { readonly sink: ByteSink },
    options: { readonly signal?: AbortSignal } = {},
  ): Operation<void, { readonly bytes: number }> {
    return operation(async (report) => {
      const onProgress = (bytes: number): void => report({ bytes });
      const write = async (sink: ByteSink): Promise<void> => {
        await exportTree(this.#store, name, { sink, onProgress, signal: options.signal });
      };
      await ('sink' in target ? write(target.sink) : writeOutputFile(target.path, write));
    });
  }

  /** What the store takes on disk, and what of it could go. */
  async usage(options: { signal?: AbortSignal } = {}): Promise<StoreUsage> {
    return this.#store.usage(options);
  }

  /** Everything that is wrong or left over; an empty list is a sound store. */
  async check(): Promise<Finding[]> {
    return this.#store.check();
  }

  /** As `check`, and reads everything: the digest of each blob, and of each layer's tar made again. */
  checkDeep(options: { readonly signal?: AbortSignal } = {}): Operation<Finding[], DeepCheckProgress> {
    return operation((onProgress) =>
      this.#store.checkDeep({
        ...options,
        onProgress,
        layerTar: (id, { signal }) => layerTar(this.#store, id, { signal }),
      }),
    );
  }

  /** Repairs what `check` finds: leftovers go, what was begun is finished, what cannot be served any more is forgotten and named. */
  async repair(): Promise<Repaired> {
    return this.#store.repair();
  }

  /** Removes leftovers: what nothing refers to and no living process works on. */
  async prune(): Promise<Pruned> {
    return this.#store.prune();
  }

  async close(): Promise<void> {
    this.#store.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function trees(from: string, to: string | undefined, { paths }: DiffOptions): DiffTreesOptions {
  return { from, to, paths };
}

/**
 * Opens a store. Throws `permission`, `invalid` for something that is no directory, `integrity` for a damaged database, and
 * `unsupported` for a store of a newer version.
 */
export async function openStore(options: OpenStoreOptions = {}): Promise<OpenStore> {
  return new OpenStore(Store.open(options.root ?? defaultRoot(process.env, process.getuid?.() ?? 0)));
}
