// The blobs of a push, one by one: what the registry has, or can take from a repository of its own, is neither sent nor made.

import { closeSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { Digest } from '../core/index.js';
import type { BlobReader, ByteRange, DiffId } from '../image/index.js';
import type { Repository, UploadSource } from '../registry/index.js';
import type { Blob, PackedLayer, Store } from '../store/index.js';
import { streamPart } from './archive.js';
import { layerTar } from './layer-tar.js';
import { packLayer } from './pack-layer.js';
import type { OnProgress, TransferPhase } from './progress.js';
import type { PushCompression, PushLayer } from './push-plan.js';
import { Turns } from './turns.js';

export interface PushBlobsOptions {
  readonly compression: PushCompression;
  readonly level?: number | undefined;
  readonly onProgress?: OnProgress | undefined;
}

/** What skopeo and podman make, in size; zlib's own default takes twice the time for 4% less. */
const DEFAULT_LEVELS: Readonly<Record<PushCompression, number>> = { gzip: 4, zstd: 3 };

/** Compressing is work for a processor; more at once only costs memory. */
const PACKED_AT_ONCE = Math.min(3, availableParallelism());

type Signal = AbortSignal | undefined;

export class BlobPusher {
  readonly #store: Store;
  readonly #target: Repository;
  readonly #options: PushBlobsOptions;
  /** Layers can be there twice. */
  readonly #layers = new Map<Digest | DiffId, Promise<Blob>>();
  readonly #turns = new Turns(PACKED_AT_ONCE);

  constructor(store: Store, target: Repository, options: PushBlobsOptions) {
    this.#store = store;
    this.#target = target;
    this.#options = options;
  }

  /** Brings a layer into the repository, compressed if need be; resolves to what it is there. */
  layer(layer: PushLayer, signal: Signal): Promise<Blob> {
    // One tar can be two blobs.
    const key = layer.blob?.digest ?? layer.diffId;
    const before = this.#layers.get(key);
    if (before !== undefined) return before;
    const work = this.#pushLayer(layer, signal);
    this.#layers.set(key, work);
    return work;
  }

  /** Brings a small blob into the repository. */
  async document(
    { digest, bytes }: { readonly digest: Digest; readonly bytes: Buffer },
    signal: Signal,
  ): Promise<void> {
    const size = bytes.length;
    await this.#upload({ digest, size, read: (range) => parts(once(bytes), range) }, { signal });
  }

  async #pushLayer(layer: PushLayer, signal: Signal): Promise<Blob> {
    const { blob, diffId, chainId } = layer;
    this.#tell({ diffId, phase: 'queued', bytes: 0, size: blob?.size });
    if (blob === undefined) return this.#pushPacked(layer, signal);
    const { digest, size } = blob;
    const read: BlobReader['read'] =
      (digest as string) === diffId
        ? (range, options) => parts(layerTar(this.#store, chainId, options), range)
        : (range, options) => this.#store.content.reader(digest).read(wholeIf(range, size), options);
    await this.#send({ digest, size, read }, { diffId, signal });
    return { digest, size };
  }

  /** A layer that is to be compressed, unless what became of it the last time is where it is to go, or can be had from there. */
  async #pushPacked(layer: PushLayer, signal: Signal): Promise<Blob> {
    const { diffId } = layer;
    const { compression, level } = this.#options;
    const method = level === undefined ? compression : `${compression}:${String(level)}`;
    using packer = new Packer({ store: this.#store, layer, turns: this.#turns, ...this.#options });
    const before = this.#store.remotes.packed(diffId, method);
    if (before !== undefined) {
      const outcome = await this.#send(packer.source(before), { diffId, signal }).catch((error: unknown) => {
        // Another compressor than the last time: what it makes is as good.
        if (packer.isOther(before)) return undefined;
        throw error;
      });
      if (outcome !== undefined) return before;
    }
    const packed = await packer.pack(signal);
    this.#store.remotes.rememberPacked(diffId, method, packed);
    await this.#send(packer.source(packed), { diffId, signal });
    return packed;
  }

  async #send(
    source: UploadSource,
    { diffId, signal }: { readonly diffId: DiffId; readonly signal: Signal },
  ): Promise<true> {
    const { size } = source;
    const read: BlobReader['read'] = (range, options) => {
      let bytes = range?.offset ?? 0;
      return each(source.read(range, options), (chunk) => {
        bytes += chunk.length;
        this.#tell({ diffId, phase: 'pushing', bytes, size });
      });
    };
    const { outcome, from } = await this.#upload({ ...source, read }, { signal });
    if (outcome === 'uploaded') this.#tell({ diffId, phase: 'done', bytes: size, size });
    else if (outcome === 'exists') this.#tell({ diffId, phase: 'exists', bytes: size, size });
    else this.#tell({ diffId, phase: 'mounted', bytes: size, size, from });
    return true;
  }

  async #upload(
    source: UploadSource,
    { signal }: { readonly signal: Signal },
  ): Promise<{ outcome: 'exists' | 'mounted' | 'uploaded'; from: string | undefined }> {
    const { remotes } = this.#store;
    const { registry, repository } = this.#target.name;
    const from = remotes.repositoriesWith(registry, source.digest).find((other) => other !== repository);
    const outcome = await this.#target.upload(source, { signal, ...(from === undefined ? {} : { from }) });
    if (from !== undefined && outcome === 'uploaded') remotes.missed({ registry, repository: from }, source.digest);
    remotes.saw({ registry, repository }, [source.digest]);
    return { outcome, from };
  }

  #tell({ diffId, phase, bytes, size, from }: Told): void {
    const total = size === undefined ? {} : { total: size };
    this.#options.onProgress?.({ layer: diffId, phase, bytes, ...total, ...(from === undefined ? {} : { from }) });
  }
}

interface Told {
  readonly diffId: DiffId;
  readonly phase: TransferPhase;
  readonly bytes: number;
  readonly size?: number | undefined;
  readonly from?: string | undefined;
}

interface PackerOptions extends PushBlobsOptions {
  readonly store: Store;
  readonly layer: PushLayer;
  readonly turns: Turns;
}

/** Compresses a layer once, when its bytes are asked for first. */
class Packer implements Disposable {
  readonly #options: PackerOptions;
  readonly #fd: number;
  #packed: PackedLayer | undefined;

  constructor(options: PackerOptions) {
    this.#options = options;
    this.#fd = options.store.scratchFile();
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  async pack(signal: Signal): Promise<PackedLayer> {
    if (this.#packed !== undefined) return this.#packed;
    const { store, layer, turns, compression, level = DEFAULT_LEVELS[compression], onProgress } = this.#options;
    using _turn = await turns.take(signal);
    const settings = { compression, level, onProgress, fd: this.#fd, signal };
    this.#packed = await packLayer(store, layer, settings);
    return this.#packed;
  }

  /** Whether it has been compressed, to something else. */
  isOther({ digest }: PackedLayer): boolean {
    return this.#packed !== undefined && this.#packed.digest !== digest;
  }

  /** The layer as it is expected to be when it is compressed. */
  source(expected: PackedLayer): UploadSource {
    return {
      digest: expected.digest,
      size: expected.size,
      prepare: async ({ signal }) => {
        await this.pack(signal);
        if (this.isOther(expected))
          throw new Error(`layer ${this.#options.layer.diffId} is compressed to something else now`);
      },
      read: ({ offset = 0, length = expected.size - offset } = { offset: 0 }) => streamPart(this.#fd, offset, length),
    };
  }
}

/** A stream of a whole blob is verified, one of a part cannot be. */
function wholeIf(range: ByteRange | undefined, size: number): ByteRange | undefined {
  return range?.offset === 0 && (range.length ?? size) === size ? undefined : range;
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer, void> {
  yield await Promise.resolve(bytes);
}

async function* each(
  source: AsyncIterable<Uint8Array>,
  tell: (chunk: Uint8Array) => void,
): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of source) {
    tell(chunk);
    yield chunk;
  }
}

/** A part of what can only be read from its start. */
async function* parts(
  source: AsyncIterable<Buffer>,
  { offset, length = Number.POSITIVE_INFINITY }: ByteRange = { offset: 0 },
): AsyncGenerator<Buffer, void> {
  let at = 0;
  for await (const chunk of source) {
    const piece = chunk.subarray(Math.max(offset - at, 0), Math.max(offset + length - at, 0));
    at += chunk.length;
    if (piece.length > 0) yield piece;
    // At the very end the source is asked once more: it may have to say that what it gave is not what it should be.
    if (at > offset + length) return;
  }
}
