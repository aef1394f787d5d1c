// Restart policies: a container that has ended by itself is started again, by the veneer that conmon runs at its end.

import { setTimeout as delay } from 'node:timers/promises';
import type { ContainerRecord, ContainerRun, Store } from '../store/index.js';
import { identityOf } from '../sys/index.js';
import { cleanUp } from './clean-up.js';
import { prepareLocked } from './prepare-run.js';
import { runSettings } from './run-settings.js';
import { wantsRestart } from './wants-restart.js';

/** moby, restartmanager.go: what runs so long is taken to be well again. */
const WELL_AFTER_MS = 10_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 60_000;

/** How long to wait before a run is repeated: longer each time, but for one that has lasted. */
export function restartPause({ startedAt = 0, finishedAt = 0, pause }: ContainerRun): number {
  if (pause === undefined || finishedAt - startedAt >= WELL_AFTER_MS) return FIRST_PAUSE_MS;
  return Math.min(pause * 2, LONGEST_PAUSE_MS);
}

/** Records that this process will start a container again. Its lock is held. */
function announceRestart(store: Store, record: ContainerRecord, run: ContainerRun): ContainerRun {
  const starter = identityOf(process.pid);
  const waiting: ContainerRun = {
    ...run,
    phase: 'waiting',
    pause: restartPause(run),
    restarts: run.restarts + 1,
    ...(starter === undefined ? {} : { starter }),
  };
  store.runs.set(record.id, waiting);
  return waiting;
}

/** `container cleanup`: as `cleanUp`, and has the container's policy start it again, which takes as long as that waits. */
export async function endByItself(store: Store, id: string): Promise<void> {
  const announced: ContainerRun[] = [];
  await cleanUp(store, id, (record, run) => {
    if (!wantsRestart(runSettings(store, record), run)) return false;
    announced.push(announceRestart(store, record, run));
    return true;
  });
  for (const run of announced) await restartLater(store, id, run);
}

/** Waits, and starts the container, unless somebody has stopped, started or removed it meanwhile. */
async function restartLater(store: Store, id: string, announced: ContainerRun): Promise<void> {
  await delay(announced.pause ?? FIRST_PAUSE_MS);
  const found = store.containers.find(id);
  if (found === undefined) return;
  const lock = await store.containers.lock(found);
  try {
    const run = store.runs.get(id);
    if (run?.phase !== 'waiting' || run.starter?.pid !== process.pid) {
      lock.release();
      return;
    }
    const record = store.containers.get(id);
    const { restarts, pause } = run;
    const again = await prepareLocked(store, record, {
      foreground: false,
      lock,
      repeats: { restarts, ...(pause === undefined ? {} : { pause }) },
    });
    await again.start();
  } catch (error) {
    lock.release();
    throw error;
  }
}
