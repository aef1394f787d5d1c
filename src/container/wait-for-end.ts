// Waiting for the end of a run without asking all the time.

import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { orAborted } from '../core/index.js';
import type { ContainerRun, Store } from '../store/index.js';
import { EndWitness } from './end-witness.js';
import { runFilesOf, runOutcome } from './state.js';
import type { RunOutcome } from './state.js';

/** The end of a run whose conmon was killed is told by no file. */
const LOOK_MS = 500;

/** Resolves when the first process of a run has ended and conmon has said how, or cannot. Rejects with the signal's reason. */
export async function waitForEnd(
  store: Store,
  id: string,
  run: ContainerRun,
  signal?: AbortSignal,
): Promise<{ exitCode: number }> {
  using witness = new EndWitness(store, id);
  const outcome = (): RunOutcome => {
    // Whoever has cleaned up has left the run's end in the store, and not its files.
    const now = store.runs.get(id);
    // The container may be gone, too: asked after that.
    const told = now === undefined ? witness.exitCode : undefined;
    if (told !== undefined) return { kind: 'over', exitCode: told, oomKilled: false };
    const isSame = now?.process?.pid === run.process?.pid && now?.process?.start === run.process?.start;
    if (now !== undefined && now.phase !== 'started' && (isSame || now.exitCode !== undefined)) {
      return { kind: 'over', exitCode: now.exitCode ?? 137, oomKilled: now.oomKilled === true };
    }
    return runOutcome(store, id, run);
  };
  let watcher: FSWatcher | undefined;
  let timer: NodeJS.Timeout | undefined;
  try {
    return await orAborted(
      new Promise<{ exitCode: number }>((resolve) => {
        const look = (): boolean => {
          const seen = outcome();
          if (seen.kind === 'over') resolve({ exitCode: seen.exitCode });
          return seen.kind === 'over';
        };
        try {
          watcher = watch(runFilesOf(store, id).directory, look);
          watcher.on('error', () => undefined);
        } catch {
          // Cleaned up already.
        }
        timer = setInterval(look, LOOK_MS);
        look();
      }),
      signal,
    );
  } finally {
    watcher?.close();
    clearInterval(timer);
  }
}
