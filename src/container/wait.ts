// `wait`: until a container has ended, or was removed.

import { setTimeout as delay } from 'node:timers/promises';
import { orAborted } from '../core/index.js';
import type { ContainerRun, Store } from '../store/index.js';
import { containerState } from './state.js';
import { waitForEnd } from './wait-for-end.js';

export type WaitCondition = 'not-running' | 'next-exit' | 'removed';

export interface WaitOptions {
  readonly condition?: WaitCondition | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What nobody tells is asked for so often: a start, a removal. */
const LOOK_MS = 100;

/**
 * Resolves to the exit code of a container's run: at once for one that does not run, unless its next end or its removal is asked for.
 * Throws `not-found`, and the signal's reason.
 */
export async function waitContainer(store: Store, reference: string, options: WaitOptions = {}): Promise<number> {
  const { condition = 'not-running', signal } = options;
  const { id } = store.containers.resolve(reference);
  const look = (): Promise<unknown> => orAborted(delay(LOOK_MS), signal);
  const sleeping = (run: ContainerRun | undefined): boolean => run === undefined || run.phase === 'ended';
  while (condition === 'next-exit' && isThere(store, id) && sleeping(store.runs.get(id))) await look();
  let code = 0;
  for (;;) {
    const record = store.containers.find(id);
    if (record === undefined) return code;
    const run = store.runs.get(id);
    const { status, exitCode = code } = containerState(store, record);
    code = exitCode;
    if (run !== undefined && (status === 'running' || status === 'paused')) {
      code = (await waitForEnd(store, id, run, signal)).exitCode;
      if (condition !== 'removed') return code;
    } else if (status !== 'restarting' && run?.phase !== 'starting' && condition !== 'removed') return code;
    await look();
  }
}

function isThere(store: Store, id: string): boolean {
  return store.containers.find(id) !== undefined;
}
