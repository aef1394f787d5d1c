// Work on a container while it runs, under its lock.

import { VeneerError, errno } from '../core/index.js';
import type { ContainerRecord, ContainerRun, Store } from '../store/index.js';
import { isRunning, kill, must } from '../sys/index.js';
import { reconcileRun } from './run-end.js';

/** A container under its lock, and its run, cleaned up after if that is over. */
export interface LockedRun {
  readonly record: ContainerRecord;
  readonly run: ContainerRun | undefined;
}

/** Does something with a container that nobody else works on. Throws `not-found`. */
export async function withRun<Result>(
  store: Store,
  reference: string,
  act: (locked: LockedRun) => Promise<Result> | Result,
): Promise<Result> {
  const found = store.containers.resolve(reference);
  using _lock = await store.containers.lock(found);
  const record = store.containers.get(found.id);
  return await act({ record, run: await reconcileRun(store, record) });
}

/** Whether the first process of a run is there, or conmon is about to say how it ended. */
export function isUp(run: ContainerRun | undefined): run is ContainerRun {
  return run?.phase === 'started';
}

export function refuseStopped({ name }: ContainerRecord, run: ContainerRun | undefined): asserts run is ContainerRun {
  if (isUp(run)) return;
  throw new VeneerError('invalid', `container ${name} is not running`, { hint: `start it: veneer start ${name}` });
}

/** Sends a signal to the first process of a container. One that has just ended takes none. */
export function signalRun(run: ContainerRun, signal: number): void {
  if (run.process === undefined || !isRunning(run.process)) return;
  const status = kill(run.process.pid, signal);
  if (status !== -errno.ESRCH) must(status, 'kill', `process ${String(run.process.pid)}`);
}
