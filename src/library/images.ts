// The images of an open store.

import { parseReference } from '../image/index.js';
import type { ImageConfig } from '../image/index.js';
import { mountImage } from '../container/index.js';
import type { Image, ImageHistoryEntry, ImageManifest, PrunedImages, PruneImagesOptions } from '../store/index.js';
import { parseTaggedName } from '../store/index.js';
import type { RemovedImage, Store } from '../store/index.js';
import { importRootfs, loadImages, pullImage, pushImage, saveImages } from '../transfer/index.js';
import type { ArchiveSource, ImportOptions, ImportProgress, ImportSource } from '../transfer/index.js';
import type { LoadedImage, LoadOptions, SaveOptions, SaveTarget, TransferProgress } from '../transfer/index.js';
import type { PulledImage, PullOptions, PushedImage, PushOptions } from '../transfer/index.js';
import { operation } from './operation.js';
import type { Operation } from './operation.js';
import { withClient } from './registries.js';
import type { RegistryUse } from './registries.js';

export interface ImportImageOptions extends Omit<ImportOptions, 'reference' | 'onProgress'> {
  /** REPOSITORY[:TAG]. */
  readonly name?: string;
}

export interface PullImageOptions extends Omit<PullOptions, 'onProgress'>, RegistryUse {}

export interface PushImageOptions extends Omit<PushOptions, 'onProgress'>, RegistryUse {}

/** A layer and what is done to it: of each the latest is kept for a reader who is slow. */
const stepOf = ({ layer, phase }: TransferProgress): string => `${phase} ${layer}`;

export class Images {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** All images, newest first. */
  async list(): Promise<Image[]> {
    return this.#store.images.list();
  }

  /** By name, ID or the start of one. Throws `not-found`, and `invalid` for a malformed name or an ambiguous ID. */
  async get(name: string): Promise<Image> {
    return this.#store.images.resolve(name);
  }

  /** The configuration: what the OCI image specification calls `application/vnd.oci.image.config.v1+json`. */
  async config(name: string): Promise<ImageConfig> {
    return this.#store.images.config(this.#store.images.resolve(name).id);
  }

  /** What made the image, newest first. */
  async history(name: string): Promise<ImageHistoryEntry[]> {
    return this.#store.images.history(this.#store.images.resolve(name).id);
  }

  /** Names an image; another image that has the name loses it. Resolves to the name in canonical form. */
  async tag(name: string, newName: string): Promise<string> {
    return this.#store.images.tag(this.#store.images.resolve(name).id, newName);
  }

  /** Removes a name, and the image with its last one. Throws `not-found`, and `in-use` saying by whom. */
  async remove(name: string, options: { force?: boolean } = {}): Promise<RemovedImage> {
    return this.#store.images.remove(name, options);
  }

  /** Makes an image of the tar of a root file system: a file's path, or a stream. */
  import(source: string | ImportSource, options: ImportImageOptions = {}): Operation<Image, ImportProgress> {
    const { name, ...others } = options;
    const from = typeof source === 'string' ? { path: source } : source;
    return operation((onProgress) =>
      importRootfs(this.#store, from, { ...others, ...(name === undefined ? {} : { reference: name }), onProgress }),
    );
  }

  /**
   * Loads the images of a docker archive, an OCI archive or an OCI layout directory, plain or compressed: a path, or a stream.
   * Each is loaded whole or not at all. Throws `integrity` for what is not what its digest says, `invalid`, `limit`.
   */
  load(
    source: string | ArchiveSource,
    options: Omit<LoadOptions, 'onProgress'> = {},
  ): Operation<LoadedImage[], TransferProgress> {
    const from = typeof source === 'string' ? { path: source } : source;
    return operation((onProgress) => loadImages(this.#store, from, { ...options, onProgress }), { keyOf: stepOf });
  }

  /**
   * Saves images to a file, a directory (an OCI layout) or a sink. A name without a tag stands for all tags of the repository.
   * The same images give the same bytes. Throws `not-found`; `integrity` for a damaged store, and nothing is left of the file.
   */
  save(
    names: readonly string[],
    target: SaveTarget,
    options: Omit<SaveOptions, 'onProgress'> = {},
  ): Operation<void, TransferProgress> {
    return operation((onProgress) => saveImages(this.#store, names, target, { ...options, onProgress }), {
      keyOf: stepOf,
    });
  }

  /**
   * Pulls NAME[:TAG|@DIGEST] from its registry, for `platform` or for what this machine runs. The image is there whole or not at all; what was
   * downloaded before a failure the next attempt goes on with. What is there already costs one request at most. Throws `not-found`,
   * `permission`, `unavailable`, `integrity`, `limit`, and `unsupported` for what is no image.
   */
  pull(name: string, options: PullImageOptions = {}): Operation<PulledImage, TransferProgress> {
    const { registries, ...others } = options;
    return operation(
      async (onProgress) => {
        const reference = parseReference(name);
        return withClient(registries, (client) => pullImage(this.#store, client, reference, { ...others, onProgress }));
      },
      { keyOf: stepOf },
    );
  }

  /**
   * Pushes an image to the registry of a name, REPOSITORY[:TAG], which by default is also the name it has here. What the registry has is
   * not sent again; the manifest goes last. Throws `not-found`, `permission`, `unavailable`, and `integrity` for a damaged store.
   */
  push(name: string, options: PushImageOptions = {}): Operation<PushedImage, TransferProgress> {
    const { registries, ...others } = options;
    return operation(
      async (onProgress) => {
        const target = parseTaggedName(name);
        return withClient(registries, (client) => pushImage(this.#store, client, target, { ...others, onProgress }));
      },
      { keyOf: stepOf },
    );
  }

  /** The manifests the image came with, newest first. */
  async manifests(name: string): Promise<ImageManifest[]> {
    return this.#store.images.manifests(this.#store.images.resolve(name).id);
  }

  /** Removes images that nobody uses: those without a name, or with `all` any. */
  async prune(options: PruneImagesOptions = {}): Promise<PrunedImages> {
    return this.#store.images.prune(options);
  }

  /** Mounts an image read-only; resolves when the mount answers. */
  async mount(name: string, directory: string): Promise<{ mountpoint: string }> {
    return mountImage(this.#store, name, directory);
  }
}
