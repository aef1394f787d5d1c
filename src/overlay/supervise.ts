// The main thread of a server: keeps the request loop's thread, takes signals, writes the log.

import { Worker } from 'node:worker_threads';
import { VeneerError } from '../core/index.js';
import { openLog } from '../core/log.js';
import { endMount } from '../fuse/index.js';
import { RLIMIT_NOFILE, raiseLimit, umask } from '../sys/index.js';
import type { OverlayOptions } from './options.js';
import type { ServerMessage } from './serve-worker.js';

export interface Supervision {
  /** A file path, or undefined for standard error. */
  readonly logFile: string | undefined;
  readonly logLevel: string;
  /** Called when the mount answers. */
  readonly onReady: () => void;
}

const END_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** Mounts and serves in this process until un-mounted. SIGTERM, SIGINT and SIGHUP un-mount. Throws VeneerError. */
export async function supervise(options: OverlayOptions, supervision: Supervision): Promise<void> {
  // The umask of each caller comes with its request; ours must not add to it.
  umask(0);
  raiseLimit(RLIMIT_NOFILE);
  const log = openLog(supervision.logFile, supervision.logLevel);
  const end = (signal: NodeJS.Signals): void => {
    log.info({ signal, mountpoint: options.mountpoint }, 'un-mounting');
    const status = endMount(options.mountpoint);
    if (status < 0) log.error({ errno: -status }, 'un-mount failed');
  };
  for (const signal of END_SIGNALS) process.on(signal, end);
  try {
    await serveInWorker(options, {
      ready: () => {
        log.info({ options }, 'mounted');
        supervision.onReady();
      },
      log: (message, detail) => {
        log.error({ detail }, message);
      },
    });
    log.info({ mountpoint: options.mountpoint }, 'un-mounted');
  } catch (error) {
    log.error({ err: error }, 'server ended');
    throw error;
  } finally {
    for (const signal of END_SIGNALS) process.off(signal, end);
  }
}

interface WorkerEvents {
  readonly ready: () => void;
  readonly log: (message: string, detail: string) => void;
}

function serveInWorker(options: OverlayOptions, events: WorkerEvents): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./serve-worker.js', import.meta.url), { workerData: options });
    worker.on('message', (message: ServerMessage) => {
      switch (message.kind) {
        case 'ready':
          events.ready();
          break;
        case 'log':
          events.log(message.message, message.detail);
          break;
        case 'failed': {
          const { code, message: text, hint } = message.failure;
          reject(new VeneerError(code, text, hint === undefined ? {} : { hint }));
        }
      }
    });
    worker.on('error', reject);
    worker.on('exit', () => {
      resolve();
    });
  });
}
