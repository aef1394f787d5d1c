// `restart`: a container is stopped and started.

import type { Store } from '../store/index.js';
import { prepareRun } from './prepare-run.js';
import { stopContainer } from './stop.js';
import type { StopOptions } from './stop.js';

/** Stops a container, if it runs, and starts it. Resolves to its ID. Throws as `startContainer`. */
export async function restartContainer(store: Store, reference: string, options: StopOptions = {}): Promise<string> {
  const id = await stopContainer(store, reference, { ...options, keep: true });
  const run = await prepareRun(store, id, { foreground: false });
  await run.start();
  return id;
}
