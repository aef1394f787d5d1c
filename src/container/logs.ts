// `logs`: what a container has written.

import { VeneerError } from '../core/index.js';
import { readLog } from '../runtime/index.js';
import type { LogRecord } from '../runtime/index.js';
import type { Store } from '../store/index.js';
import { containerDirectories } from './container-directories.js';
import { documentOf } from './document.js';
import { waitForRun } from './wait.js';

export interface LogOptions {
  /** Only so many lines at the end. */
  readonly tail?: number | undefined;
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
  /** Goes on until the container ends, or the time of `until` has come. */
  readonly follow?: boolean;
  /** Ends it, without an error. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * What a container has written, in lots whose content stays until the next one is asked for. Throws `not-found`, and `unsupported` for a
 * container whose log is not kept.
 */
export function containerLogs(
  store: Store,
  reference: string,
  { follow = false, signal, ...choice }: LogOptions = {},
): AsyncGenerator<LogRecord[], void> {
  const record = store.containers.resolve(reference);
  const { host } = documentOf(store, record);
  if (host.LogConfig.Type === 'none') {
    throw new VeneerError('unsupported', `container ${record.name} keeps no log`, {
      hint: 'it was made with --log-driver none',
    });
  }
  const { outputLog } = containerDirectories(store.containers.directory(record.id));
  return readLog(outputLog, {
    ...choice,
    follow: follow ? endOf(store, record.id, { signal, until: choice.until }) : undefined,
  });
}

async function endOf(
  store: Store,
  id: string,
  { signal, until }: { readonly signal: AbortSignal | undefined; readonly until: Date | undefined },
): Promise<void> {
  const time = until === undefined ? [] : [AbortSignal.timeout(Math.max(0, until.getTime() - Date.now()))];
  await waitForRun(store, id, AbortSignal.any([...time, ...(signal === undefined ? [] : [signal])]));
}
