// The worker thread of a server: opens the layers, mounts, answers. It talks to the main thread in messages.

import { parentPort, workerData } from 'node:worker_threads';
import { VeneerError, messageOf } from '../core/index.js';
import type { ErrorKind } from '../core/index.js';
import { Offload, Statistics, endMount, mountFuse } from '../fuse/index.js';
import type { OverlayOptions } from './options.js';
import { mountFlags, openOverlay, serve } from './serve.js';
import { detailOf } from './server.js';

/** A failure in a form that crosses threads and processes. */
export interface Failure {
  readonly code: ErrorKind;
  readonly message: string;
  readonly hint: string | undefined;
}

/** What the thread is started with. */
export interface WorkerSetup {
  readonly options: OverlayOptions;
  /** Of a Statistics. */
  readonly statistics: SharedArrayBuffer;
}

export type ServerMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'log'; readonly message: string; readonly detail: string }
  | { readonly kind: 'failed'; readonly failure: Failure };

export function describeFailure(error: unknown): Failure {
  if (error instanceof VeneerError) return { code: error.code, message: error.message, hint: error.hint };
  return { code: 'invalid', message: messageOf(error), hint: undefined };
}

async function run({ options, statistics }: WorkerSetup, tell: (message: ServerMessage) => void): Promise<void> {
  const offload = new Offload();
  // Layers first: a mount point above one of them must not stand in the way.
  const overlay = openOverlay(options, offload);
  const device = mountFuse({
    mountpoint: options.mountpoint,
    source: options.source ?? 'veneer',
    subtype: 'veneer',
    flags: mountFlags(options),
    allowOther: true,
  });
  const logError = (message: string, error: unknown): void => {
    tell({ kind: 'log', message, detail: detailOf(error) });
  };
  const onReady = (): void => {
    tell({ kind: 'ready' });
  };
  try {
    await serve({ options, device, statistics: new Statistics(statistics), onReady, logError }, overlay, offload);
  } catch (error) {
    endMount(options.mountpoint);
    throw error;
  }
}

const port = parentPort;
if (port !== null) {
  const tell = (message: ServerMessage): void => {
    port.postMessage(message);
  };
  run(workerData as WorkerSetup, tell).catch((error: unknown) => {
    tell({ kind: 'failed', failure: describeFailure(error) });
  });
}
