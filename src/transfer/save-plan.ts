// What an archive will hold, before any of it is written: every file with its size.

import { closeSync } from 'node:fs';
import { digestHex, digestOf } from '../core/index.js';
import type { Digest } from '../core/index.js';
import {
  chainId,
  compressionOf,
  DOCKER_MANIFEST_FILE,
  encodeDockerManifest,
  encodeIndex,
  encodeLayout,
} from '../image/index.js';
import {
  encodeManifest,
  familiarName,
  familiarReference,
  INDEX_FILE,
  LAYOUT_FILE,
  MediaTypes,
} from '../image/index.js';
import { layerTypeOf, nameAnnotations, parseManifest } from '../image/index.js';
import type { ChainId, Descriptor, DiffId, DockerManifestEntry, ImageConfig, Platform } from '../image/index.js';
import type { LayerCompression } from '../layer/index.js';
import type { ImageManifest, Store } from '../store/index.js';
import { blobPath } from './archive-image.js';
import { streamPart } from './archive.js';
import { layerTar, layerTarSize } from './layer-tar.js';
import { packLayer } from './pack-layer.js';
import type { OnProgress } from './progress.js';
import type { SelectedImage } from './select-images.js';

/** A file of the archive. */
export interface PlannedFile {
  readonly path: string;
  readonly size: number;
  /** How to speak of it. */
  readonly name: string;
  readonly stream: () => AsyncIterable<Uint8Array>;
}

export interface PlanOptions {
  /** `docker`: readable as a docker archive, too. */
  readonly format: 'docker' | 'oci';
  /** Undefined: as the image came, or plain. */
  readonly compression?: LayerCompression | undefined;
  readonly level?: number | undefined;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

interface PlannedImage {
  readonly manifest: Descriptor;
  readonly selected: SelectedImage;
  readonly config: ImageConfig;
}

export class SavePlan implements Disposable {
  readonly #store: Store;
  readonly #options: PlanOptions;
  readonly #blobs = new Map<Digest, PlannedFile>();
  /** What the compressed layers are called, by what is in them. */
  readonly #packed = new Map<DiffId, Descriptor>();
  readonly #images: PlannedImage[] = [];
  readonly #scratch: number[] = [];

  constructor(store: Store, options: PlanOptions) {
    this.#store = store;
    this.#options = options;
  }

  [Symbol.dispose](): void {
    for (const fd of this.#scratch) closeSync(fd);
  }

  /** Layers that are to be compressed are compressed now. */
  async add(selected: SelectedImage): Promise<void> {
    const { id, layers: chain } = selected.image;
    const { images } = this.#store;
    const configBytes = images.configBytes(id);
    const config = images.config(id);
    const stored = images.manifests(id).find((manifest) => this.#fits(manifest, config));
    const bytes = stored === undefined ? undefined : images.manifestBytes(stored.digest);
    const descriptors: Descriptor[] = [];
    for (const [index, diffId] of config.rootfs.diff_ids.entries()) {
      const layer = { diffId, chainId: chain[index] ?? chainId(undefined, diffId) };
      const kept = bytes === undefined ? undefined : parseManifest(bytes).layers[index];
      descriptors.push(await this.#layer(layer, kept));
    }
    const configBlob = this.#document(configBytes, MediaTypes.config, `configuration ${id}`);
    const made =
      bytes ??
      encodeManifest({ schemaVersion: 2, mediaType: MediaTypes.manifest, config: configBlob, layers: descriptors });
    const manifest = this.#document(made, stored?.mediaType ?? MediaTypes.manifest, `manifest of ${id}`);
    this.#images.push({ manifest, selected, config });
  }

  /** Whether the manifest that an image came with is what is asked for. */
  #fits({ digest }: ImageManifest, { rootfs }: ImageConfig): boolean {
    const { format, compression } = this.#options;
    const { layers } = parseManifest(this.#store.images.manifestBytes(digest));
    if (format === 'docker') return layers.every((layer, index) => (layer.digest as string) === rootfs.diff_ids[index]);
    return compression === undefined || layers.every(({ mediaType }) => compressionOf(mediaType) === compression);
  }

  async #layer(
    { diffId, chainId }: { diffId: DiffId; chainId: ChainId },
    kept: Descriptor | undefined,
  ): Promise<Descriptor> {
    const { signal, compression = 'none' } = this.#options;
    const store = this.#store;
    if (kept !== undefined && (kept.digest as string) !== diffId) {
      this.#blob(kept, () => store.content.stream(kept.digest));
      return kept;
    }
    if (kept === undefined && compression !== 'none') return this.#compressed(diffId, chainId);
    const digest = diffId as unknown as Digest;
    const size = await layerTarSize(store, chainId);
    const descriptor = kept ?? { mediaType: MediaTypes.layer, digest, size };
    this.#blob(descriptor, () => layerTar(store, chainId, { signal }));
    return descriptor;
  }

  /** Digest and size are known only when all is compressed: that waits in a file without a name. */
  async #compressed(diffId: DiffId, chainId: ChainId): Promise<Descriptor> {
    const before = this.#packed.get(diffId);
    if (before !== undefined) return before;
    const { compression = 'none', level, signal, onProgress } = this.#options;
    const fd = this.#store.scratchFile();
    this.#scratch.push(fd);
    const layer = { diffId, chainId };
    const { digest, size } = await packLayer(this.#store, layer, { compression, level, fd, onProgress, signal });
    const descriptor = { mediaType: layerTypeOf('oci', { compression }), digest, size };
    this.#packed.set(diffId, descriptor);
    this.#blob(descriptor, () => streamPart(fd, 0, descriptor.size));
    return descriptor;
  }

  #blob({ digest, size }: Descriptor, stream: PlannedFile['stream'], name: string = digest): void {
    if (!this.#blobs.has(digest)) this.#blobs.set(digest, { path: blobPath(digest), size, name, stream });
  }

  #document(bytes: Buffer, mediaType: string, name: string): Descriptor {
    const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length };
    this.#blob(descriptor, () => once(bytes), name);
    return descriptor;
  }

  /** One entry for each name, or one without. */
  indexEntries(): Descriptor[] {
    return this.#images.flatMap(({ manifest, selected, config }) => {
      const entry = { ...manifest, platform: platformOf(config) };
      if (selected.names.length === 0) return [entry];
      return selected.names.map((name) => ({ ...entry, annotations: nameAnnotations(name) }));
    });
  }

  /** The blobs, in the order of their digests. */
  blobs(): PlannedFile[] {
    return [...this.#blobs.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  /** All files of a tar, in the order in which moby writes them. */
  files(): PlannedFile[] {
    const documents: [string, Buffer][] = [[INDEX_FILE, indexOf(this.indexEntries())]];
    if (this.#options.format === 'docker') documents.push([DOCKER_MANIFEST_FILE, this.#dockerManifest()]);
    documents.push([LAYOUT_FILE, encodeLayout()]);
    const repositories = this.#options.format === 'docker' ? this.#repositories() : undefined;
    if (repositories !== undefined) documents.push(['repositories', repositories]);
    const files = documents.map(([path, bytes]) => ({
      path,
      name: path,
      size: bytes.length,
      stream: () => once(bytes),
    }));
    return [...this.blobs(), ...files];
  }

  #dockerManifest(): Buffer {
    const entries = this.#images.map(({ selected, config }): DockerManifestEntry => ({
      Config: blobPath(selected.image.id),
      RepoTags: selected.names.map(familiarReference),
      Layers: config.rootfs.diff_ids.map((diffId) => blobPath(diffId as unknown as Digest)),
    }));
    return encodeDockerManifest(entries);
  }

  /** What Docker before 1.10 read: the top layer of each name. */
  #repositories(): Buffer | undefined {
    const repositories: Record<string, Record<string, string>> = {};
    for (const { selected, config } of this.#images) {
      const top = config.rootfs.diff_ids.at(-1);
      if (top === undefined) continue;
      for (const name of selected.names) {
        (repositories[familiarName(name)] ??= {})[name.tag] = digestHex(top);
      }
    }
    const isEmpty = Object.keys(repositories).length === 0;
    return isEmpty ? undefined : Buffer.from(`${JSON.stringify(repositories)}\n`, 'utf8');
  }
}

export function indexOf(manifests: readonly Descriptor[]): Buffer {
  return encodeIndex({ schemaVersion: 2, mediaType: MediaTypes.index, manifests });
}

function platformOf({ architecture, os, variant }: ImageConfig): Platform {
  return { architecture, os, ...(variant === undefined ? {} : { variant }) };
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer, void> {
  yield await Promise.resolve(bytes);
}
