// A server around what serves: takes signals, writes the log.

import { realpathSync } from 'node:fs';
import path from 'node:path';
import { SysError } from '../core/index.js';
import type { Logger } from '../core/log.js';
import { endMount } from '../fuse/index.js';
import { RLIMIT_NOFILE, raiseLimit, umask } from '../sys/index.js';
import type { OverlayOptions } from './options.js';
import { serveDirectly } from './serve-directly.js';
import type { ServerEvents } from './server.js';
import { validateOverlay } from './validate.js';

export interface Supervision {
  /** Open, for what is to be logged. */
  readonly logFd: number;
  readonly logLevel: string;
  /** Called when the mount answers. */
  readonly onReady: () => void;
}

const END_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

const detailOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));

/** Paths as they are from anywhere. */
function absolute(options: OverlayOptions): OverlayOptions {
  return {
    ...options,
    mountpoint: realpathSync(options.mountpoint),
    lowerdir: options.lowerdir.map((dir) => path.resolve(dir)),
    ...(options.upperdir === undefined ? {} : { upperdir: path.resolve(options.upperdir) }),
    ...(options.workdir === undefined ? {} : { workdir: path.resolve(options.workdir) }),
  };
}

/**
 * Mounts and serves in this process until un-mounted. SIGTERM, SIGINT and SIGHUP un-mount. Throws
 * VeneerError: before anything was done, where `validateOverlay` does.
 */
export async function supervise(given: OverlayOptions, supervision: Supervision): Promise<void> {
  validateOverlay(given);
  const options = absolute(given);
  const { transport, mountpoint } = options;
  // The umask of each caller comes with its request; ours must not add to it.
  umask(0);
  raiseLimit(RLIMIT_NOFILE);
  // The first line is written when the mount answers, and nobody waits for a logger that is still being loaded.
  let log: Promise<Logger> | undefined;
  const write = async (line: (log: Logger) => void): Promise<void> => {
    log ??= import('../core/log.js').then(({ openLog }) => openLog(supervision.logFd, supervision.logLevel));
    line(await log);
  };
  const events: ServerEvents = {
    ready: () => {
      supervision.onReady();
      void write((log) => {
        log.info({ options }, 'mounted');
      });
    },
    log: (message, error) => {
      void write((log) => {
        log.error({ detail: detailOf(error) }, message);
      });
    },
  };
  const end = (signal: NodeJS.Signals): void => {
    void write((log) => {
      log.info({ signal, mountpoint }, 'un-mounting');
    });
    void endMount(mountpoint).then((status) => {
      if (status < 0) events.log('un-mount failed', new SysError(-status, 'umount', mountpoint).message);
    });
  };
  for (const signal of END_SIGNALS) process.on(signal, end);
  try {
    await (transport === 'fuse-native' ? serveNatively : serveDirectly)(options, events);
    await write((log) => {
      log.info({ mountpoint }, 'un-mounted');
    });
  } catch (error) {
    await write((log) => {
      log.error({ err: error }, 'server ended');
    });
    throw error;
  } finally {
    for (const signal of END_SIGNALS) process.off(signal, end);
  }
}

/** Loaded for those who ask for it only. */
async function serveNatively(options: OverlayOptions, events: ServerEvents): Promise<void> {
  const transport = await import('./serve-natively.js');
  await transport.serveNatively(options, events);
}
