// The layers of an image, from compressed or plain tars into the layer store: several at once, each unpacked once.

import { availableParallelism } from 'node:os';
import { hasCode, orAborted, VeneerError } from '../core/index.js';
import { chainIds } from '../image/index.js';
import type { ChainId, DiffId } from '../image/index.js';
import { applyLayer } from '../layer/index.js';
import type { LayerLimits } from '../layer/index.js';
import { ArrivalRestarted } from '../store/index.js';
import type { Arrival, Blob, Lease, Store } from '../store/index.js';
import { eitherSignal } from './abortable.js';
import type { OnProgress, TransferPhase } from './progress.js';
import { tee } from './tee.js';

interface LayerName {
  readonly diffId: DiffId;
  /** How to speak of it: its digest as a blob, or its DiffID. */
  readonly name: string;
  /** Bytes as they come, compressed or not, if that is known. */
  readonly size?: number | undefined;
}

/** A layer that is read. */
export interface StreamedLayer extends LayerName {
  /** The bytes as they come; asked for only if they are needed. */
  readonly open: (signal: AbortSignal) => AsyncIterable<Uint8Array>;
  /** The blob to keep, byte for byte, beside the unpacked layer. */
  readonly keep?: Blob | undefined;
}

/** A layer that comes into the content store by itself; undefined where nothing has to come. */
export interface ArrivingLayer extends LayerName {
  readonly arrival: Arrival | undefined;
}

/** Where a layer comes from. */
export type LayerSource = StreamedLayer | ArrivingLayer;

export interface UnpackLayersOptions {
  /** Keeps what is unpacked until an image refers to it. */
  readonly lease: Lease;
  readonly limits?: Partial<LayerLimits> | undefined;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Unpacking is work for a processor and waiting for a disk; more at once only costs memory. */
const AT_ONCE = Math.max(2, Math.min(4, availableParallelism()));

/**
 * Unpacks layers, bottom first, into the store. What it has already is not read. Every layer is verified against its DiffID, every
 * kept blob against digest and size. After a failure no work goes on in the background; the lease keeps what was done by then.
 *
 * Errors: those of `applyLayer`, naming the layer; `integrity` for another DiffID.
 */
export async function unpackLayers(
  store: Store,
  layers: readonly LayerSource[],
  options: UnpackLayersOptions,
): Promise<ChainId[]> {
  const stop = new AbortController();
  const signal = eitherSignal(stop.signal, options.signal);
  const chain = chainIds(layers.map(({ diffId }) => diffId));
  const done: Promise<void>[] = [];
  const running = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  for (const [index, id] of chain.entries()) {
    const layer = layers[index];
    if (layer === undefined) break;
    while (running.size >= AT_ONCE && failure === undefined) await Promise.race(running).catch(() => undefined);
    if (failure !== undefined || signal.aborted) break;
    const below = chain.slice(0, index);
    const unpacker = new LayerUnpack(store, {
      layer,
      id,
      below,
      options: { ...options, signal },
    });
    const work = unpacker.run(done[index - 1] ?? Promise.resolve());
    done.push(work);
    running.add(work);
    work.then(
      () => running.delete(work),
      (error: unknown) => {
        failure ??= { error };
        running.delete(work);
        stop.abort(error);
      },
    );
  }
  await Promise.allSettled(done);
  options.signal?.throwIfAborted();
  if (failure !== undefined) throw failure.error;
  return chain;
}

interface Task {
  readonly layer: LayerSource;
  readonly id: ChainId;
  /** Bottom first. */
  readonly below: readonly ChainId[];
  readonly options: UnpackLayersOptions & { readonly signal: AbortSignal };
}

class LayerUnpack {
  readonly #store: Store;
  readonly #task: Task;

  constructor(store: Store, task: Task) {
    this.#store = store;
    this.#task = task;
  }

  /** `below` is fulfilled when the layer below is in its place. */
  async run(below: Promise<void>): Promise<void> {
    const { id, layer, options } = this.#task;
    // Whoever waits for it last takes it; it may fail before.
    below.catch(() => undefined);
    const isThere = (): boolean => this.#store.layers.reuse(id, options.lease) !== undefined;
    try {
      if (isThere()) {
        await this.#keepOnly();
        return;
      }
      if (!('arrival' in layer)) this.#tell('waiting', 0);
      using _unpacking = await this.#store.layers.unpacking(id, { signal: options.signal });
      // Another process may have done it meanwhile.
      if (isThere()) {
        await this.#keepOnly();
        return;
      }
      await this.#unpack(below);
    } catch (error) {
      throw namingLayer(layer.name, error);
    }
  }

  #tell(phase: TransferPhase, bytes: number): void {
    const { layer, options } = this.#task;
    const total = layer.size === undefined ? {} : { total: layer.size };
    options.onProgress?.({ layer: layer.name, phase, bytes, ...total });
  }

  /** The layer is there; its blob may not be. */
  async #keepOnly(): Promise<void> {
    const { layer, options } = this.#task;
    if ('arrival' in layer) {
      if (layer.arrival !== undefined) await orAborted(layer.arrival.done, options.signal);
    } else if (layer.keep !== undefined && !this.#store.content.reuse(layer.keep.digest, options.lease)) {
      await this.#store.content.ingest(this.#read(layer, 'keeping'), options.lease, layer.keep);
    }
    this.#tell('exists', layer.size ?? 0);
  }

  async *#read({ open }: StreamedLayer, phase: TransferPhase): AsyncGenerator<Uint8Array, void> {
    const { signal } = this.#task.options;
    let bytes = 0;
    for await (const chunk of open(signal)) {
      signal.throwIfAborted();
      bytes += chunk.length;
      this.#tell(phase, bytes);
      yield chunk;
    }
  }

  #unpack(below: Promise<void>): Promise<void> {
    const { layer } = this.#task;
    return 'arrival' in layer ? this.#unpackArriving(layer, below) : this.#unpackStreamed(layer, below);
  }

  async #unpackArriving({ arrival }: ArrivingLayer, below: Promise<void>): Promise<void> {
    if (arrival === undefined) throw new Error('a layer that is not in the store does not arrive either');
    for (;;) {
      const { restarts } = arrival;
      try {
        await this.#apply(this.#follow(arrival), below, arrival.done);
        return;
      } catch (error) {
        // What the blob is not comes before what is wrong inside of it, and what an earlier attempt has left may be wrong.
        if (hasCode(error, 'integrity') || error instanceof ArrivalRestarted) {
          await orAborted(arrival.done, this.#task.options.signal);
        }
        if (arrival.restarts === restarts) throw error;
      }
    }
  }

  /** Until all bytes are here, that is what is told. */
  async *#follow(arrival: Arrival): AsyncGenerator<Uint8Array, void> {
    let bytes = 0;
    for await (const chunk of arrival.stream(this.#task.options.signal)) {
      yield chunk;
      bytes += chunk.length;
      if (arrival.isComplete) this.#tell('unpacking', bytes);
    }
  }

  async #unpackStreamed(layer: StreamedLayer, below: Promise<void>): Promise<void> {
    const { options } = this.#task;
    const { content } = this.#store;
    const stream = this.#read(layer, 'unpacking');
    if (layer.keep === undefined || content.reuse(layer.keep.digest, options.lease)) {
      return this.#apply(stream, below);
    }
    const [toKeep, toUnpack] = tee(stream);
    const works = [content.ingest(toKeep, options.lease, layer.keep), this.#apply(toUnpack, below)];
    // Both have come to their end before anything is put away; what the blob is not comes before what is wrong inside of it.
    const outcomes = await Promise.allSettled(works);
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }

  /** The layer is put in its place when those below are in theirs, and `verified` is fulfilled. */
  async #apply(
    source: AsyncIterable<Uint8Array>,
    below: Promise<void>,
    verified: Promise<unknown> = Promise.resolve(),
  ): Promise<void> {
    const { layer, below: ids, options } = this.#task;
    const { layers } = this.#store;
    const staged = layers.stage();
    let placed = false;
    try {
      const { diffId, contentSize, uncompressedSize } = await applyLayer({
        source,
        target: staged.diff,
        record: staged.record,
        unterminated: true,
        lower: async () => {
          await below;
          return ids.map((id) => layers.path(id)).reverse();
        },
        signal: options.signal,
        ...(options.limits === undefined ? {} : { limits: options.limits }),
      });
      if (diffId !== layer.diffId) {
        throw new VeneerError(
          'integrity',
          `its content has the digest ${diffId}, its configuration says ${layer.diffId}`,
        );
      }
      await layers.settle(staged);
      await below;
      await orAborted(verified, options.signal);
      options.signal.throwIfAborted();
      const facts = { diffId, parent: ids.at(-1), size: contentSize, tarSize: uncompressedSize };
      placed = true;
      layers.commit(staged, facts, options.lease);
      this.#tell('done', layer.size ?? uncompressedSize);
    } finally {
      if (!placed) layers.discard(staged);
    }
  }
}

/** The same error, saying which layer it is about; registries speak of blobs. */
export function namingLayer(name: string, error: unknown): unknown {
  if (!(error instanceof VeneerError)) return error;
  if (error.message.startsWith('layer sha256:') || error.message.includes(`blob ${name}`)) return error;
  const hint = error.hint === undefined ? {} : { hint: error.hint };
  return new VeneerError(error.code, `layer ${name}: ${error.message}`, { cause: error, ...hint });
}
