// `pause` and `unpause`: all processes of a container are held, and let go.

import { VeneerError } from '../core/index.js';
import { isFrozen } from '../runtime/index.js';
import type { Store } from '../store/index.js';
import { runtimeOf } from './run-end.js';
import { refuseStopped, withRun } from './running.js';

/** Holds all processes. Throws `not-found`, and `invalid` for a container that does not run, or is held already. */
export function pauseContainer(store: Store, reference: string): Promise<string> {
  return withRun(store, reference, async ({ record, run }) => {
    refuseStopped(record, run);
    if (run.process !== undefined && isFrozen(run.process.pid)) {
      throw new VeneerError('invalid', `container ${record.name} is paused already`);
    }
    await runtimeOf(store, run).pause(record.id);
    return record.id;
  });
}

/** Lets them go on. Throws `not-found`, and `invalid` for a container that is not held. */
export function unpauseContainer(store: Store, reference: string): Promise<string> {
  return withRun(store, reference, async ({ record, run }) => {
    refuseStopped(record, run);
    if (run.process === undefined || !isFrozen(run.process.pid)) {
      throw new VeneerError('invalid', `container ${record.name} is not paused`);
    }
    await runtimeOf(store, run).resume(record.id);
    return record.id;
  });
}
