// `start`: a container runs, by itself.

import { hasCode } from '../core/index.js';
import type { Store } from '../store/index.js';
import { prepareRun } from './prepare-run.js';
import type { PrepareRunOptions } from './prepare-run.js';
import { containerState } from './state.js';

/** Starts a container, detached. One that runs already is left alone. Throws as `prepareRun`. Resolves to its ID. */
export async function startContainer(
  store: Store,
  reference: string,
  options: Pick<PrepareRunOptions, 'onWarning' | 'server'> = {},
): Promise<string> {
  const record = store.containers.resolve(reference);
  const isThere = (): boolean => ['running', 'paused'].includes(containerState(store, record).status);
  if (isThere()) return record.id;
  try {
    const run = await prepareRun(store, record.id, { ...options, foreground: false });
    await run.start();
  } catch (error) {
    // Somebody else was faster.
    if (!hasCode(error, 'in-use') || !isThere()) throw error;
  }
  return record.id;
}
