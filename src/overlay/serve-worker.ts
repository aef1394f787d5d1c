// The worker thread of a server: opens the layers, mounts, answers. It talks to the main thread in messages.

import { parentPort, workerData } from 'node:worker_threads';
import { VeneerError, messageOf } from '../core/index.js';
import type { ErrorKind } from '../core/index.js';
import { MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY } from '../sys/index.js';
import { Offload, endMount, mountFuse } from '../fuse/index.js';
import type { OverlayOptions } from './options.js';
import { openOverlay, serve } from './serve.js';

/** A failure in a form that crosses threads and processes. */
export interface Failure {
  readonly code: ErrorKind;
  readonly message: string;
  readonly hint: string | undefined;
}

export type ServerMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'log'; readonly message: string; readonly detail: string }
  | { readonly kind: 'failed'; readonly failure: Failure };

export function describeFailure(error: unknown): Failure {
  if (error instanceof VeneerError) return { code: error.code, message: error.message, hint: error.hint };
  return { code: 'invalid', message: messageOf(error), hint: undefined };
}

function mountFlags(options: OverlayOptions): number {
  const readOnly = options.upperdir === undefined || options.readOnly === true;
  return (
    (readOnly ? MS_RDONLY : 0) |
    (options.nosuid === true ? MS_NOSUID : 0) |
    (options.nodev === true ? MS_NODEV : 0) |
    (options.noexec === true ? MS_NOEXEC : 0)
  );
}

async function run(options: OverlayOptions, tell: (message: ServerMessage) => void): Promise<void> {
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
    tell({ kind: 'log', message, detail: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  };
  const onReady = (): void => {
    tell({ kind: 'ready' });
  };
  try {
    await serve({ options, device, onReady, logError }, overlay, offload);
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
  run(workerData as OverlayOptions, tell).catch((error: unknown) => {
    tell({ kind: 'failed', failure: describeFailure(error) });
  });
}
