// Images: configurations in the content store, rows that name their layers, and tags.

import { VeneerError, shortDigest } from '../core/index.js';
import type { Digest } from '../core/index.js';
import { chainIds, encodeImageConfig, familiarReference, formatReference, parseImageConfig } from '../image/index.js';
import { parseReference } from '../image/index.js';
import type { ChainId, ImageConfig } from '../image/index.js';
import type { ContentStore } from './content.js';
import type { Database } from './database.js';
import { imageHistory } from './image-history.js';
import type { ImageHistoryEntry } from './image-history.js';
import { ImageRows } from './image-rows.js';
import type { Image } from './image-rows.js';
import { ImageUsers } from './image-users.js';
import type { LayerStore } from './layers.js';
import type { StoreLock } from './lock.js';
import type { MountRegistry } from './mounts.js';
import { resolveImage } from './resolve-image.js';
import type { Resolved } from './resolve-image.js';
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
}

export interface RemovedImage {
  /** Names, in canonical form. */
  readonly untagged: readonly string[];
  /** The image, then the layers only it needed, top first; nothing when the image has other names. */
  readonly deleted: readonly Digest[];
}

function missing(text: string): VeneerError {
  return new VeneerError('not-found', `no such image: ${text}`, { hint: "'veneer images' lists what there is" });
}

export class ImageStore {
  readonly #parts: ImageParts;
  readonly #rows: ImageRows;
  readonly #users: ImageUsers;

  constructor(parts: ImageParts) {
    this.#parts = parts;
    this.#rows = new ImageRows(parts.database.sql);
    this.#users = new ImageUsers(parts.database.sql, parts.mounts);
  }

  /** Newest first. */
  list(): Image[] {
    return this.#rows.list();
  }

  /** Throws `not-found`. */
  get(id: Digest): Image {
    const image = this.#rows.get(id);
    if (image === undefined) throw missing(id);
    return image;
  }

  /** The image of a name, an ID or the start of one. Throws `invalid` for a malformed name or an ambiguous ID. */
  find(text: string): Image | undefined {
    const resolved = resolveImage(this.#rows, text);
    return resolved === undefined ? undefined : this.#rows.get(resolved.id);
  }

  /** As `find`; throws `not-found` where there is none. */
  resolve(text: string): Image {
    const image = this.find(text);
    if (image === undefined) throw missing(text);
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
   * Records an image whose layers the store has, and names it. Recording one that is there only names it.
   * Throws `not-found` when a layer is missing.
   */
  create(config: ImageConfig, names: readonly TaggedName[] = []): Image {
    const bytes = encodeImageConfig(config);
    const layers = chainIds(config.rootfs.diff_ids);
    const { lock, database, content } = this.#parts;
    return lock.exclusively(() => {
      for (const layer of layers) this.#parts.layers.get(layer);
      const id = content.put(bytes);
      database.transact(() => {
        this.#rows.insert(id, creationDate(config), layers);
        for (const name of names) this.#rows.tag(name, id);
      });
      return this.get(id);
    });
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

  /**
   * Removes a name, and the image with its last one, as Docker does. An ID stands for the image with all its names, of which
   * it may have several only with `force`. Throws `not-found`, and `in-use` while a container or a mount uses the image.
   */
  remove(text: string, options: { force?: boolean } = {}): RemovedImage {
    const { lock, database, content, layers, staging } = this.#parts;
    const trashed: Staged[] = [];
    const removed = lock.exclusively(() => {
      const { deleted, ...rest } = database.transact(() => this.#forget(text, options.force ?? false));
      if (deleted === undefined) return { ...rest, deleted: [] };
      trashed.push(...layers.trash(deleted.layers));
      content.remove(deleted.image);
      return { ...rest, deleted: [deleted.image, ...deleted.layers] };
    });
    for (const staged of trashed) staging.discard(staged);
    return removed;
  }

  #forget(
    text: string,
    force: boolean,
  ): { untagged: readonly string[]; deleted?: { image: Digest; layers: readonly ChainId[] } } {
    const resolved = resolveImage(this.#rows, text);
    const image = resolved === undefined ? undefined : this.#rows.get(resolved.id);
    if (resolved === undefined || image === undefined) throw missing(text);
    const name = taggedName(resolved);
    if (name !== undefined && image.references.length > 1) {
      this.#rows.untag(name);
      return { untagged: [formatReference(name)] };
    }
    if (name === undefined && image.references.length > 1 && !force) throw severalNames(text, image);
    this.#users.refuseInUse(image.id, text);
    this.#rows.remove(image.id);
    const layers = this.#parts.layers.forgetUnneeded(image.layers);
    return { untagged: image.references, deleted: { image: image.id, layers } };
  }
}

/** The name to take away, where an image was found by one. */
function taggedName({ reference }: Resolved): TaggedName | undefined {
  if (reference?.tag === undefined || reference.digest !== undefined) return undefined;
  return { ...reference, tag: reference.tag };
}

function severalNames(text: string, image: Image): VeneerError {
  const names = image.references.map((name) => familiarReference(parseReference(name))).join(', ');
  return new VeneerError('in-use', `cannot remove image ${text}: it has several names: ${names}`, {
    hint: `remove the names, or use --force with the ID ${shortDigest(image.id)}`,
  });
}

function creationDate(config: ImageConfig): Date | undefined {
  const time = config.created === undefined ? NaN : Date.parse(config.created);
  return Number.isNaN(time) ? undefined : new Date(time);
}
