// What a restart policy says of the end of a run.

import type { ContainerRecord, ContainerRun, Store } from '../store/index.js';
import { runSettings } from './run-settings.js';
import type { RunSettings } from './run-settings.js';

/** Whether the policy of a container wants one that has ended so to run again. */
export function wantsRestart({ restart }: RunSettings, run: ContainerRun): boolean {
  if (run.stopped === true) return false;
  if (restart.name === 'always' || restart.name === 'unless-stopped') return true;
  return (
    restart.name === 'on-failure' && run.exitCode !== 0 && (restart.maximum === 0 || run.restarts < restart.maximum)
  );
}

/** As `wantsRestart`; false for a container whose files are damaged, or just being removed. */
export function isToRestart(store: Store, record: ContainerRecord, run: ContainerRun): boolean {
  try {
    return wantsRestart(runSettings(store, record), run);
  } catch {
    return false;
  }
}
