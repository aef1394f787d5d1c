// The main thread of a server: keeps the request loop's thread, takes signals, writes the log.

import { Worker } from 'node:worker_threads';
import { SysError, VeneerError, messageOf } from '../core/index.js';
import { openLog } from '../core/log.js';
import { Statistics, endMount } from '../fuse/index.js';
import { RLIMIT_NOFILE, raiseLimit, umask } from '../sys/index.js';
import type { OverlayOptions } from './options.js';
import type { ServerMessage, WorkerSetup } from './serve-worker.js';
import type { Server, ServerEvents } from './server.js';
import { StatisticsDoor } from './statistics-door.js';

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
  let server: Server | undefined;
  const end = (signal: NodeJS.Signals): void => {
    log.info({ signal, mountpoint: options.mountpoint }, 'un-mounting');
    server?.unmount();
  };
  for (const signal of END_SIGNALS) process.on(signal, end);
  const events: ServerEvents = {
    ready: () => {
      log.info({ options }, 'mounted');
      supervision.onReady();
    },
    log: (message, detail) => {
      log.error({ detail }, message);
    },
  };
  try {
    const serve = options.transport === 'fuse-native' ? await natively() : serveInWorker;
    server = serve(options, events);
    await server.ended;
    log.info({ mountpoint: options.mountpoint }, 'un-mounted');
  } catch (error) {
    log.error({ err: error }, 'server ended');
    throw error;
  } finally {
    for (const signal of END_SIGNALS) process.off(signal, end);
  }
}

type Serve = (options: OverlayOptions, events: ServerEvents) => Server;

/** Loaded for those who ask for it only. */
async function natively(): Promise<Serve> {
  return (await import('./serve-natively.js')).serveNatively;
}

const serveInWorker: Serve = (options, events) => {
  const statistics = new Statistics();
  const door = new StatisticsDoor(statistics, options.mountpoint);
  const setup: WorkerSetup = { options, statistics: statistics.memory };
  const worker = new Worker(new URL('./serve-worker.js', import.meta.url), { workerData: setup });
  const ended = new Promise<void>((resolve, reject) => {
    worker.on('message', (message: ServerMessage) => {
      switch (message.kind) {
        case 'ready':
          events.ready();
          door.open().catch((error: unknown) => {
            events.log('no statistics', messageOf(error));
          });
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
      door.close();
      resolve();
    });
  });
  const unmount = (): void => {
    const status = endMount(options.mountpoint);
    if (status < 0) events.log('un-mount failed', new SysError(-status, 'umount', options.mountpoint).message);
  };
  return { ended, unmount };
};
