// A layer made anew from others: written as a tar and unpacked at once, so that its directory is what any tool would unpack.

import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { applyLayer } from './apply-layer.js';
import type { AppliedLayer } from './apply-layer.js';
import type { ByteSink } from './tar-writer.js';
import { writeLayer } from './write-layer.js';
import type { LayersToCompare } from './diff-layers.js';
import type { PathChoice } from './path-choice.js';

export type RewriteLayerOptions = LayersToCompare & {
  /** An empty directory for the layer. */
  readonly target: string;
  /** The layer directories it will lie on, top first. */
  readonly onto: readonly string[];
  readonly paths?: PathChoice;
  /** In seconds: what has changed later is dated to it. */
  readonly sourceDateEpoch?: number;
  /** As for `applyLayer`. */
  readonly record?: { readonly skeleton: string; readonly replaced: string };
  /** Told the bytes of the tar written so far. */
  readonly onProgress?: (bytes: number) => void;
  readonly signal?: AbortSignal;
};

/** Bytes on the way. */
const AHEAD = 4 * 1024 * 1024;

/**
 * Makes a layer directory of the changes from one stack to the other, or of some of them. `entries` is 0 where there are none.
 * Errors as `writeLayer` and `applyLayer`; the target is left half filled then.
 */
export async function rewriteLayer(options: RewriteLayerOptions): Promise<AppliedLayer> {
  const { target, onto, record, ...written } = options;
  const pipe = new PassThrough({ highWaterMark: AHEAD });
  // Each side learns of the other's failure by its own call; the event has nobody else to tell.
  pipe.on('error', () => undefined);
  const sink: ByteSink = async (chunk) => {
    if (pipe.errored !== null) throw pipe.errored;
    // The chunk is the writer's again as soon as this returns.
    if (!pipe.write(Buffer.from(chunk))) await once(pipe, 'drain');
  };
  const writing = ended(pipe, writeLayer({ ...written, sink }), () => pipe.end());
  const applying = ended(
    pipe,
    applyLayer({
      source: pipe,
      target,
      lower: onto,
      signal: options.signal,
      ...(record === undefined ? {} : { record }),
    }),
  );
  const [, applied] = await bothSettled(writing, applying);
  return applied;
}

/** Cuts the pipe where one side fails. */
async function ended<T>(pipe: PassThrough, side: Promise<T>, onSuccess?: () => void): Promise<T> {
  try {
    const result = await side;
    onSuccess?.();
    return result;
  } catch (error) {
    pipe.destroy(error instanceof Error ? error : new Error(String(error)));
    throw error;
  }
}

/** Both results, once nothing is at work any more; or what failed first. */
async function bothSettled<A, B>(a: Promise<A>, b: Promise<B>): Promise<[A, B]> {
  try {
    return await Promise.all([a, b]);
  } finally {
    await Promise.allSettled([a, b]);
  }
}
