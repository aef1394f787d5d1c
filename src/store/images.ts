// Images: configurations in the content store, rows that name their layers, and tags.

import { VeneerError, digestOf, shortDigest } from '../core/index.js';
import type { Digest } from '../core/index.js';
import { chainIds, encodeImageConfig, formatReference, parseImageConfig } from '../image/index.js';
import { parseManifest, parseReference } from '../image/index.js';
import type { ChainId, ImageConfig, Reference } from '../image/index.js';
import type { ContentStore } from './content.js';
import type { Database } from './database.js';
import { toDigestName } from './digest-name.js';
import { imageHistory } from './image-history.js';
import type { ImageHistoryEntry } from './image-history.js';
import { ImageRows } from './image-rows.js';
import type { Image } from './image-rows.js';
import { ImageUsers } from './image-users.js';
import type { ForgottenLayer, LayerStore } from './layers.js';
import type { StoreLock } from './lock.js';
import { ManifestRows } from './manifest-rows.js';
import type { ImageManifest, RecordedManifest } from './manifest-rows.js';
import type { MountRegistry } from './mounts.js';
import { isPrunable } from './prune-images.js';
import type { PruneImagesOptions, PrunedImages } from './prune-images.js';
import type { Remotes } from './remotes.js';
import { removeNames } from './remove-image.js';
import { isFullId, noSuchImage, resolveImage } from './resolve-image.js';
import { isScratch, isScratchId, scratchConfig } from './scratch.js';
import type { Staged, StagingArea } from './staging.js';
import { parseTaggedName } from './tagged-name.js';
import type { TaggedName } from './tagged-name.js';

export interface ImageParts {
  readonly lock: StoreLock;
  readonly database: Database;
  readonly staging: StagingArea;
  readonly content: ContentStore;
  readonly layers: LayerStore;
  readonly mounts: MountRegistry;
  readonly remotes: Remotes;
}

export interface NewManifest {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
}

export interface AddImageOptions {
  readonly names?: readonly TaggedName[];
  /** The manifest it came with, to be kept with its blobs. */
  readonly manifest?: NewManifest;
  /** Names by digest, of its manifest or of an index that lists it. */
  readonly digestNames?: readonly Reference[];
}

export interface RemovedImage {
  /** Names, in canonical form. */
  readonly untagged: readonly string[];
  /** The image, then the layers only it needed, top first; nothing when the image has other names. */
  readonly deleted: readonly Digest[];
}

export class ImageStore {
  readonly #parts: ImageParts;
  readonly #rows: ImageRows;
  readonly #manifests: ManifestRows;
  readonly #users: ImageUsers;

  constructor(parts: ImageParts) {
    this.#parts = parts;
    this.#rows = new ImageRows(parts.database.sql);
    this.#manifests = new ManifestRows(parts.database.sql);
    this.#users = new ImageUsers(parts.database.sql, parts.mounts);
  }

  /** Newest first. The empty image is among them where it has a name, or with `all`. */
  list(options: { all?: boolean } = {}): Image[] {
    const isHidden = ({ id, references, digests }: Image): boolean =>
      references.length + digests.length === 0 && isScratchId(id);
    return this.#rows.list().filter((image) => options.all === true || !isHidden(image));
  }

  /** Throws `not-found`. */
  get(id: Digest): Image {
    const image = this.#rows.get(id);
    if (image === undefined) throw noSuchImage(id);
    return image;
  }

  /**
   * The image of a name, with a tag or a digest, of an ID or the start of one. `scratch` is the empty image, made when it is
   * first asked for. Throws `invalid` for a malformed name or an ambiguous ID.
   */
  find(text: string): Image | undefined {
    const resolved = resolveImage(this.#rows, text);
    if (resolved !== undefined) return this.#rows.get(resolved.id);
    return isFullId(text) || !isScratch(parseReference(text)) ? undefined : this.add(scratchConfig());
  }

  /** As `find`; throws `not-found` where there is none. */
  resolve(text: string): Image {
    const image = this.find(text);
    if (image === undefined) throw noSuchImage(text);
    return image;
  }

  /** The configuration's bytes, verified. */
  configBytes(id: Digest): Buffer {
    return this.#parts.content.read(id);
  }

  config(id: Digest): ImageConfig {
    return parseImageConfig(this.configBytes(id));
  }

  /** What made the image, newest first. */
  history(id: Digest): ImageHistoryEntry[] {
    return imageHistory(this.config(id), (layer) => this.#parts.layers.find(layer)?.size ?? 0);
  }

  /**
   * Records an image whose layers the store has, from its configuration, and names it. Recording one that is there only
   * names it. Throws `not-found` when a layer is missing.
   */
  create(config: ImageConfig, names: readonly TaggedName[] = []): Image {
    return this.add(encodeImageConfig(config), { names });
  }

  /**
   * Records an image whose layers the store has, from the bytes of its configuration, which are kept as they are. The compressed
   * layers that a manifest names must be in the content store, kept by a lease. An image that is there gets what is new: names, the
   * manifest. Throws `invalid` for malformed documents, `integrity` when the manifest does not belong to the configuration or a
   * blob has another size, and `not-found` when a layer or blob is missing.
   */
  add(config: Uint8Array, options: AddImageOptions = {}): Image {
    const { names = [], digestNames = [] } = options;
    const parsed = parseImageConfig(config);
    const id = digestOf(config);
    const layers = chainIds(parsed.rootfs.diff_ids);
    const manifest = options.manifest === undefined ? undefined : describeManifest(options.manifest, id, parsed);
    const namedByDigest = digestNames.map(toDigestName);
    const { lock, database, content } = this.#parts;
    return lock.exclusively(() => {
      for (const layer of layers) this.#parts.layers.get(layer);
      for (const { digest, size } of manifest?.layers ?? []) requireSize(digest, size, content.size(digest));
      const documents = options.manifest === undefined ? [config] : [config, options.manifest.bytes];
      const put = documents.map((bytes) => content.put(bytes));
      try {
        database.transact(() => {
          this.#rows.insert(id, creationDate(parsed), layers);
          if (manifest !== undefined) this.#manifests.insert(id, manifest);
          for (const name of names) this.#rows.tag(name, id);
          for (const name of namedByDigest) this.#rows.nameDigest(name, id);
        });
      } catch (error) {
        content.removeAll(this.#manifests.unneeded(put));
        throw error;
      }
      return this.get(id);
    });
  }

  /** The manifests kept of an image, newest first; none for one that did not come with one. */
  manifests(id: Digest): ImageManifest[] {
    return this.#manifests.of(id);
  }

  /** A manifest's bytes, verified. */
  manifestBytes(digest: Digest): Buffer {
    return this.#parts.content.read(digest);
  }

  /** Those of the given blobs that no image and no lease needs. Ask under the store's lock. */
  unneededBlobs(blobs: readonly Digest[]): Digest[] {
    return this.#manifests.unneeded(blobs);
  }

  /** Names an image; a name another image has moves. Returns the name in canonical form. Throws `not-found`, `invalid`. */
  tag(id: Digest, name: string): string {
    const tagged = parseTaggedName(name);
    this.#parts.database.transact(() => {
      this.get(id);
      this.#rows.tag(tagged, id);
    });
    return formatReference(tagged);
  }

  /** Names an image by a digest, which is that of a manifest of it; one that has gone meanwhile has no names. Throws `invalid`. */
  nameDigest(id: Digest, reference: Reference): void {
    const name = toDigestName(reference);
    this.#parts.database.transact(() => {
      if (this.#rows.has(id)) this.#rows.nameDigest(name, id);
    });
  }

  /**
   * Removes a name, and the image with its last one, as Docker does. An ID stands for the image with all its names, of which
   * it may have several only with `force`. The last tag in a repository takes its names by digest along. Manifests go with
   * the image, and blobs and layers nothing else needs.
   *
   * Throws `not-found`, and `in-use` while a container or a mount uses the image, whose name goes with `force` nevertheless.
   */
  remove(text: string, options: { force?: boolean } = {}): RemovedImage {
    const parts = { rows: this.#rows, users: this.#users };
    const removed = this.#dispose(() => {
      const resolved = resolveImage(this.#rows, text);
      if (resolved === undefined) throw noSuchImage(text);
      const { untagged, image } = removeNames(parts, { text, resolved, force: options.force ?? false });
      return { untagged, forgotten: this.#forgetRows(image === undefined ? [] : [image]) };
    });
    return { untagged: removed.untagged, deleted: removed.forgotten.deleted };
  }

  /** Removes images nobody uses: those without a tag, or all; by Docker's rules for `image prune`. */
  prune(options: PruneImagesOptions = {}): PrunedImages {
    const used = this.#users.all();
    const judge = {
      options,
      isUsed: ({ id }: Image) => used.has(id),
      configOf: ({ id }: Image) => this.config(id).config ?? {},
    };
    const forget = () => {
      const images = this.list().filter((image) => isPrunable(image, judge));
      const untagged = images.flatMap(({ references, digests }) => [...references, ...digests]);
      return { untagged, forgotten: this.#forgetRows(images) };
    };
    const { lock, database } = this.#parts;
    const { untagged, forgotten } =
      options.dryRun === true ? lock.exclusively(() => database.rehearse(forget)) : this.#dispose(forget);
    return { untagged, deleted: forgotten.deleted, space: forgotten.space };
  }

  /** Removes images whatever they are called; for those that cannot be served any more. None of them may be in use. */
  forget(images: readonly Image[]): void {
    this.#dispose(() => ({ forgotten: this.#forgetRows(images) }));
  }

  /** Whether a container or a mount uses the image. */
  isUsed(id: Digest): boolean {
    return this.#users.has(id);
  }

  /** Forgets in a transaction, then removes what that leaves behind, the trees outside of the store's lock. */
  #dispose<T extends { readonly forgotten: Forgotten }>(forget: () => T): T {
    const { lock, database, content, layers, staging } = this.#parts;
    const trashed: Staged[] = [];
    const result = lock.exclusively(() => {
      const outcome = database.transactRemoval(forget);
      trashed.push(...layers.trash(outcome.forgotten.layers));
      content.removeAll(outcome.forgotten.blobs);
      return outcome;
    });
    for (const staged of trashed) staging.discard(staged);
    return result;
  }

  #forgetRows(images: readonly Image[]): Forgotten {
    const { layers, content, remotes } = this.#parts;
    const candidates = new Set(images.flatMap(({ id }) => this.#manifests.blobs(id)));
    for (const { id } of images) this.#rows.remove(id);
    const gone = images.map(({ id, layers: stack }) => ({ id, layers: layers.forgetUnneeded(stack) }));
    const goneLayers = gone.flatMap((image) => image.layers);
    if (images.length > 0) remotes.forgetUnneeded();
    const blobs = this.#manifests.unneeded([...candidates]).filter((blob) => content.has(blob));
    return {
      deleted: gone.flatMap((image) => [image.id, ...image.layers.map(({ chainId }) => chainId)]),
      layers: goneLayers,
      blobs,
      space: sum([...goneLayers.map(({ size }) => size), ...blobs.map((blob) => content.size(blob))]),
    };
  }

  /** The manifests of all images. */
  allManifests(): RecordedManifest[] {
    return this.#manifests.list();
  }

  /** Forgets a manifest, but not its image. Its blobs are extra then. */
  forgetManifest(digest: Digest): void {
    this.#parts.database.transactRemoval(() => this.#manifests.remove(digest));
  }

  /** Records other layers of an image, all of which the store must have. */
  setLayers(id: Digest, layers: readonly ChainId[]): void {
    this.#parts.database.transact(() => this.#rows.setLayers(id, layers));
  }
}

/** What goes with images. */
interface Forgotten {
  /** Each image, followed by the layers only it needed, top first. */
  readonly deleted: readonly Digest[];
  readonly layers: readonly ForgottenLayer[];
  readonly blobs: readonly Digest[];
  /** What that frees, in bytes. */
  readonly space: number;
}

function sum(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total + size, 0);
}

function describeManifest({ bytes, mediaType }: NewManifest, config: Digest, { rootfs }: ImageConfig): ImageManifest {
  const layers = rootfs.diff_ids.length;
  const manifest = parseManifest(bytes);
  const digest = digestOf(bytes);
  const refuse = (why: string): VeneerError => new VeneerError('integrity', `manifest ${shortDigest(digest)} ${why}`);
  if (manifest.config.digest !== config) throw refuse('is of another configuration');
  if (manifest.layers.length !== layers) {
    throw refuse(`has ${String(manifest.layers.length)} layers, its configuration ${String(layers)}`);
  }
  // What is not compressed is the layer's tar, which the layer store can give back.
  const compressed = manifest.layers.filter((layer, index) => layer.digest !== (rootfs.diff_ids[index] as string));
  const blobs = compressed.map((layer) => ({ digest: layer.digest, size: layer.size }));
  return { digest, mediaType, size: bytes.length, layers: blobs };
}

function requireSize(digest: Digest, announced: number, size: number): void {
  if (announced === size) return;
  throw new VeneerError(
    'integrity',
    `blob ${digest} has ${String(size)} bytes, its manifest says ${String(announced)}`,
  );
}

function creationDate(config: ImageConfig): Date | undefined {
  const time = config.created === undefined ? NaN : Date.parse(config.created);
  return Number.isNaN(time) ? undefined : new Date(time);
}
