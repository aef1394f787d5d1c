// `start`: a container runs, by itself.

import type { Store } from '../store/index.js';
import { prepareRun } from './prepare-run.js';
import { containerState } from './state.js';

/** Starts a container, detached. One that runs already is left alone. Throws as `prepareRun`. Resolves to its ID. */
export async function startContainer(store: Store, reference: string): Promise<string> {
  const record = store.containers.resolve(reference);
  const { status } = containerState(store, record);
  if (status === 'running' || status === 'paused') return record.id;
  const run = await prepareRun(store, record.id, { foreground: false });
  await run.start();
  return record.id;
}
