// Freezing what a container has changed: its upper directory becomes one that nobody writes to any more, and it goes on with an empty one on
// top, be it mounted, running or neither.

import { existsSync, readdirSync, renameSync } from 'node:fs';
import { freezeOverlay, recoverFreeze } from '../overlay/index.js';
import type { ContainerRecord, Store } from '../store/index.js';
import { containerDirectories } from './container-directories.js';
import { refuseHaltedTree } from './lost-tree.js';
import { currentMountpoint } from './mount.js';
import { sync } from './readable-upper.js';
import { runtimeOf } from './run-end.js';
import { settledUpper } from './settled-upper.js';
import { containerState } from './state.js';
import { ensureDirectories } from './upper-directory.js';

export interface FreezeChoice {
  /** The name of the snapshot that it is made for. */
  readonly snapshot?: string;
  /** Whether a running container is held meanwhile, so that all of its files are of one moment; true unless told. */
  readonly pause?: boolean | undefined;
}

/**
 * Freezes what a container has changed and returns the ID of the frozen directory, which the container lies on from then on. The caller
 * holds its lock. Its files and their number take no time, but for those that are open for writing.
 */
export async function freezeContainer(
  store: Store,
  record: ContainerRecord,
  { snapshot, pause = true }: FreezeChoice = {},
): Promise<string> {
  refuseHaltedTree(store, record);
  const mountpoint = currentMountpoint(record);
  const frozen = store.frozen.begin(record.id, snapshot);
  try {
    if (mountpoint === undefined) freezeUnmounted(store, record, frozen);
    else await held(store, record, { pause }, () => freezeMounted(mountpoint, frozen));
  } catch (error) {
    // A server that died may have done it before.
    if (!existsSync(frozen)) {
      store.frozen.finish(record.id);
      throw error;
    }
  }
  sync(frozen);
  const id = store.frozen.finish(record.id);
  if (id === undefined) throw new Error(`'${frozen}' is gone`);
  return id;
}

async function freezeMounted(mountpoint: string, frozen: string): Promise<void> {
  // What programs have written may still be with the kernel, which gives it to the server now.
  sync(mountpoint);
  await freezeOverlay(mountpoint, { frozen });
}

function freezeUnmounted(store: Store, record: ContainerRecord, frozen: string): void {
  const { upper } = settledUpper(store, record);
  sync(upper);
  renameSync(upper, frozen);
  ensureDirectories(store.containers.directory(record.id), frozen);
}

/** Runs `work` while the processes of a running container stand still; those of one that is paused do already. */
export async function held<T>(
  store: Store,
  record: ContainerRecord,
  { pause = true }: Pick<FreezeChoice, 'pause'>,
  work: () => Promise<T>,
): Promise<T> {
  if (!pause || containerState(store, record).status !== 'running') return work();
  const runtime = runtimeOf(store, store.runs.get(record.id));
  // It may have ended just now, or have no cgroup of its own.
  const release = await runtime.hold(record.id).catch(() => undefined);
  try {
    return await work();
  } finally {
    await release?.();
    // Who held it was killed.
    if (containerState(store, record).status === 'paused') await runtime.resume(record.id);
  }
}

/** Whether the container's writable directory has anything in it. */
export function hasWritten(store: Store, record: ContainerRecord): boolean {
  const { upper, work } = containerDirectories(store.containers.directory(record.id));
  recoverFreeze({ upperdir: upper, workdir: work });
  return existsSync(upper) && readdirSync(upper).length > 0;
}
