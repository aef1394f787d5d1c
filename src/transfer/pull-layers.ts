// The layers of an image from a registry into the store: downloaded several at once, each unpacked while it still comes in.

import { chainIds } from '../image/index.js';
import type { BlobReader, ChainId, Descriptor, DiffId } from '../image/index.js';
import type { LayerLimits } from '../layer/index.js';
import type { Arrival, Lease, Store } from '../store/index.js';
import { eitherSignal } from './abortable.js';
import type { OnProgress, TransferPhase } from './progress.js';
import { Turns } from './turns.js';
import { namingLayer, unpackLayers } from './unpack-layers.js';
import type { ArrivingLayer } from './unpack-layers.js';

export interface RemoteLayer {
  readonly diffId: DiffId;
  readonly descriptor: Descriptor;
}

export interface PullLayersOptions {
  /** Gives a blob of the registry. */
  readonly open: (descriptor: Descriptor) => BlobReader;
  /** Keeps what comes in until an image refers to it. */
  readonly lease: Lease;
  readonly limits?: Partial<LayerLimits> | undefined;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
  /** How many layers are downloaded at once: 4 by default. */
  readonly atOnce?: number | undefined;
}

const DOWNLOADS = 4;

/**
 * Has the layers of an image, bottom first, in the store, and the compressed ones as blobs, too. What is there is not asked for. After a
 * failure nothing goes on in the background; the lease keeps what was done by then.
 *
 * Errors: those of `unpackLayers` and of `Arrival`, naming the layer.
 */
export async function pullLayers(
  store: Store,
  layers: readonly RemoteLayer[],
  options: PullLayersOptions,
): Promise<ChainId[]> {
  const stop = new AbortController();
  const signal = eitherSignal(stop.signal, options.signal);
  const downloads = new Downloads(store, { ...options, signal });
  const sources = chainIds(layers.map(({ diffId }) => diffId)).flatMap((id, index): ArrivingLayer[] => {
    const layer = layers[index];
    if (layer === undefined) return [];
    const { digest, size } = layer.descriptor;
    const arrival = downloads.start(layer, id);
    arrival?.done.catch((error: unknown) => stop.abort(namingLayer(digest, error)));
    return [{ diffId: layer.diffId, name: digest, size, arrival }];
  });
  const { lease, limits, onProgress } = options;
  try {
    return await unpackLayers(store, sources, { lease, limits, onProgress, signal });
  } catch (error) {
    stop.abort(error);
    throw error;
  } finally {
    await downloads.settled();
  }
}

class Downloads {
  readonly #store: Store;
  readonly #options: PullLayersOptions & { readonly signal: AbortSignal };
  readonly #turns: Turns;
  readonly #arrivals = new Map<string, Arrival>();

  constructor(store: Store, options: PullLayersOptions & { readonly signal: AbortSignal }) {
    this.#store = store;
    this.#options = options;
    this.#turns = new Turns(options.atOnce ?? DOWNLOADS);
  }

  /** Undefined where the store has the layer, and its blob if it is one that is kept. */
  start({ descriptor, diffId }: RemoteLayer, id: ChainId): Arrival | undefined {
    const { lease, open, signal } = this.#options;
    const { layers, content } = this.#store;
    const { digest, size } = descriptor;
    // What is not compressed is made again from the unpacked layer.
    const isKept = (digest as string) !== diffId;
    if (layers.reuse(id, lease) !== undefined && (!isKept || content.reuse(digest, lease, size))) return undefined;
    const known = this.#arrivals.get(digest);
    if (known !== undefined) return known;
    this.#tell(descriptor, 'queued', 0);
    const arrival = content.receive(open(descriptor), lease, {
      signal,
      turn: () => this.#turns.take(signal),
      onProgress: (bytes) => this.#tell(descriptor, bytes < size ? 'downloading' : 'verifying', bytes),
      onWait: () => this.#tell(descriptor, 'waiting', 0),
    });
    this.#arrivals.set(digest, arrival);
    return arrival;
  }

  #tell({ digest, size }: Descriptor, phase: TransferPhase, bytes: number): void {
    this.#options.onProgress?.({ layer: digest, phase, bytes, total: size });
  }

  async settled(): Promise<void> {
    await Promise.allSettled([...this.#arrivals.values()].map(({ done }) => done));
  }
}
