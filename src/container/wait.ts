// `wait`: until a container has ended, or is what somebody waits for it to be.

import { setTimeout as delay } from 'node:timers/promises';
import { VeneerError } from '../core/index.js';
import type { ContainerRecord, Store } from '../store/index.js';
import { isRunning } from '../sys/index.js';
import { EndWitness } from './end-witness.js';
import { containerState } from './state.js';
import type { ContainerState } from './state.js';
import { waitForEnd } from './wait-for-end.js';
import { isToRestart } from './wants-restart.js';

/** docker's, and what it may be while it runs. */
export type WaitCondition = 'not-running' | 'next-exit' | 'removed' | 'running' | 'paused' | 'healthy' | 'unhealthy';

export interface WaitOptions {
  readonly condition?: WaitCondition | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What nobody tells is asked for so often: a start, a removal. */
const LOOK_MS = 100;
/** For so long, whoever is to clean up after an end or to start it again may take before nobody is believed to. */
const GRACE_MS = 5000;

/**
 * Resolves to the exit code of a container: at once for one that does not run, unless its next end or its removal is asked for; to -1 where it
 * is to run, as podman. One that its policy starts again has not ended. Throws `not-found`, `unavailable` where it has ended
 * before it was what it was to be, and the signal's reason.
 */
export async function waitContainer(store: Store, reference: string, options: WaitOptions = {}): Promise<number> {
  const { condition = 'not-running', signal } = options;
  const { id, name } = store.containers.resolve(reference);
  using witness = new EndWitness(store, id);
  const isDone = CONDITIONS[condition];
  const seen = { wasUp: false, last: 0 };
  for (;;) {
    signal?.throwIfAborted();
    const record = store.containers.find(id);
    // Asked afterwards: who removes it has told before.
    const told = witness.exitCode;
    if (record === undefined) {
      if (isDone === undefined) return told ?? seen.last;
      throw new VeneerError('unavailable', `container ${name} is gone, and was not ${condition}`);
    }
    const state = containerState(store, record);
    seen.last = told ?? state.exitCode ?? seen.last;
    if (isDone?.(state) === true) return -1;
    const over = told !== undefined || (isAtRest(store, record, state) && (condition !== 'next-exit' || seen.wasUp));
    if (isDone !== undefined && condition !== 'running' && over && (told !== undefined || seen.wasUp)) {
      throw new VeneerError('unavailable', `container ${name} has ended, and was not ${condition}`);
    }
    if (over && isDone === undefined && condition !== 'removed') return seen.last;
    seen.wasUp ||= state.status === 'running' || state.status === 'paused';
    await change(witness, signal);
  }
}

/** While it runs. */
const CONDITIONS: Readonly<Record<WaitCondition, ((state: ContainerState) => boolean) | undefined>> = {
  'not-running': undefined,
  'next-exit': undefined,
  removed: undefined,
  running: ({ status }) => status === 'running',
  paused: ({ status }) => status === 'paused',
  healthy: ({ status, health }) => status === 'running' && health?.status === 'healthy',
  unhealthy: ({ status, health }) => status === 'running' && health?.status === 'unhealthy',
};

/** Whether a container does not run, and nobody is about to change that. */
function isAtRest(store: Store, record: ContainerRecord, { status, finishedAt }: ContainerState): boolean {
  const run = store.runs.get(record.id);
  if (status === 'running' || status === 'paused' || status === 'restarting') return false;
  if (run === undefined) return true;
  if (run.phase === 'starting' && isRunning(run.starter)) return false;
  const isPending = run.phase !== 'ended' || isToRestart(store, record, run);
  return !isPending || finishedAt === undefined || Date.now() - finishedAt.getTime() > GRACE_MS;
}

/** Until the end is told of, or it is time to look again. */
async function change(witness: EndWitness, signal: AbortSignal | undefined): Promise<void> {
  const enough = new AbortController();
  using _watcher = witness.watch(() => enough.abort());
  const ends = [enough.signal, ...(signal === undefined ? [] : [signal])];
  await delay(LOOK_MS, undefined, { signal: AbortSignal.any(ends) }).catch(() => undefined);
}

/** As `waitContainer`, for the end of this very run, whatever its policy does then. */
export async function waitForRun(store: Store, reference: string, signal?: AbortSignal): Promise<number> {
  const { id } = store.containers.resolve(reference);
  using witness = new EndWitness(store, id);
  for (;;) {
    signal?.throwIfAborted();
    const record = store.containers.find(id);
    if (record === undefined) return witness.exitCode ?? 0;
    const run = store.runs.get(id);
    const { status, exitCode = 0 } = containerState(store, record);
    if (run !== undefined && (status === 'running' || status === 'paused')) {
      return (await waitForEnd(store, id, run, signal)).exitCode;
    }
    // By somebody who lives.
    const isBeingStarted = run?.phase === 'starting' && isRunning(run.starter);
    if (status !== 'restarting' && !isBeingStarted) return exitCode;
    await change(witness, signal);
  }
}
