// `stop` and `kill`: the end of a container, asked for.

import { setTimeout as delay } from 'node:timers/promises';
import { VeneerError, messageOf } from '../core/index.js';
import { isFrozen, parseSignal } from '../runtime/index.js';
import type { ContainerRecord, ContainerRun, Store } from '../store/index.js';
import { isRunning, kill } from '../sys/index.js';
import { cleanUp } from './clean-up.js';
import { endRun, runtimeOf } from './run-end.js';
import { runSettings } from './run-settings.js';
import { isUp, refuseStopped, signalRun, withRun } from './running.js';
import type { LockedRun } from './running.js';
import { waitForEnd } from './wait-for-end.js';

const SIGTERM = 15;
const SIGKILL = 9;
/** docker's. */
const STOP_SECONDS = 10;

export interface StopOptions {
  /** Seconds between the polite signal and SIGKILL; -1: there is no SIGKILL. By default what the container says, or 10. */
  readonly timeout?: number | undefined;
  /** By its name or number; by default what the container or its image says, or SIGTERM. */
  readonly signal?: string | undefined;
  /** It is to be started again, and not to be removed at its end. */
  readonly keep?: boolean;
}

/**
 * Ends a container: a signal, and after some time SIGKILL. Resolves to its ID when it has ended and was cleaned up. One that does not run
 * is left as it is; one that waits to be started again by its policy is not.
 */
export async function stopContainer(store: Store, reference: string, options: StopOptions = {}): Promise<string> {
  const { record, run } = await withRun(store, reference, async (locked) => {
    const stopping = await markStopped(store, locked, options.keep === true ? { kept: true } : {});
    if (!isUp(stopping)) return { record: locked.record, run: undefined };
    const { stopSignal } = runSettings(store, locked.record);
    await signalEvenPaused(store, locked.record, stopping, signalOf(options.signal ?? stopSignal));
    return { record: locked.record, run: stopping };
  });
  if (run === undefined) return record.id;
  const { timeout = runSettings(store, record).stopTimeout ?? STOP_SECONDS } = options;
  if (timeout < 0) await waitForEnd(store, record.id, run);
  else if (!(await endsWithin(store, record, run, timeout * 1000))) await killRun(store, record, run);
  await cleanUp(store, record.id);
  return record.id;
}

function signalOf(text: string | undefined): number {
  if (text === undefined || text === '') return SIGTERM;
  return parseSignal(text);
}

/** From now on its policy does not start it again, neither does a clean-up that is still to come after the end of its last run. */
export async function markStopped(
  store: Store,
  { record, run }: LockedRun,
  more: Pick<ContainerRun, 'kept'> = {},
): Promise<ContainerRun | undefined> {
  if (run === undefined) return run;
  const stopped: ContainerRun = { ...run, ...more, stopped: true };
  if (run.phase === 'waiting') {
    const { starter } = run;
    const ended = await endRun(store, record, stopped);
    if (starter !== undefined && starter.pid !== process.pid && isRunning(starter)) kill(starter.pid, SIGTERM);
    return ended;
  }
  store.runs.set(record.id, stopped);
  return stopped;
}

/** A held process takes a signal when it is let go. */
async function signalEvenPaused(
  store: Store,
  record: ContainerRecord,
  run: ContainerRun,
  signal: number,
): Promise<void> {
  signalRun(run, signal);
  if (run.process !== undefined && isFrozen(run.process.pid)) await runtimeOf(store, run).resume(record.id);
}

async function endsWithin(
  store: Store,
  { id }: ContainerRecord,
  run: ContainerRun,
  milliseconds: number,
): Promise<boolean> {
  const patience = new AbortController();
  const expired = delay(milliseconds, false, { signal: patience.signal });
  const ended = waitForEnd(store, id, run, patience.signal).then(() => true);
  try {
    return await Promise.race([ended, expired]);
  } finally {
    patience.abort();
    // Of the two, the one that was given up.
    await Promise.allSettled([ended, expired]);
  }
}

/** What SIGKILL does not end hangs in the kernel. */
const KILL_PATIENCE_MS = 10_000;

/** Ends a run at once. Throws `unavailable` where the kernel does not end it. */
export async function killRun(store: Store, record: ContainerRecord, run: ContainerRun): Promise<void> {
  await signalEvenPaused(store, record, run, SIGKILL);
  if (await endsWithin(store, record, run, KILL_PATIENCE_MS)) return;
  // conmon holds on to it.
  if (run.process === undefined || kill(run.process.pid, 0) < 0) return;
  throw new VeneerError(
    'unavailable',
    `container ${record.name} does not end: process ${String(run.process.pid)} hangs`,
  );
}

/** Sends a signal, SIGKILL by default, to the first process. Throws `not-found`, and `invalid` for what does not run or is no signal. */
export async function killContainer(store: Store, reference: string, signal = 'KILL'): Promise<string> {
  const number = parseSignal(signal);
  return withRun(store, reference, async ({ record, run }) => {
    refuseStopped(record, run);
    // As docker: who kills wants it to stay dead.
    const ends = [SIGKILL, signalOf(runSettings(store, record).stopSignal)].includes(number);
    if (ends) store.runs.set(record.id, { ...run, stopped: true });
    try {
      if (number === SIGKILL) await signalEvenPaused(store, record, run, number);
      else signalRun(run, number);
    } catch (cause) {
      throw new VeneerError('permission', `cannot send a signal to container ${record.name}: ${messageOf(cause)}`, {
        cause,
      });
    }
    return record.id;
  });
}
