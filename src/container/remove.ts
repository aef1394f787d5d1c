// `rm`: a container, its changes and its directory.

import { existsSync } from 'node:fs';
import { VeneerError } from '../core/index.js';
import { removeDoor } from '../overlay/index.js';
import type { ContainerRecord, Store } from '../store/index.js';
import { currentMountpoint } from './mount.js';
import { clearStale } from './mount-state.js';
import { endRun, reconcileRun } from './run-end.js';
import { isUp } from './running.js';
import { killRun, markStopped } from './stop.js';
import { containerState } from './state.js';
import { unmountRecord } from './unmount-record.js';
import { containerDirectories } from './container-directories.js';

/**
 * Removes a container with its changes; layers committed from it that no image has go with it. Resolves to its ID.
 * With `volumes`, also its volumes without a name that no other container has. Throws `not-found`, and `in-use` while it runs or is mounted, unless `force` ends that first.
 */
export async function removeContainer(
  store: Store,
  reference: string,
  options: { force?: boolean; volumes?: boolean } = {},
): Promise<string> {
  const ownVolumes = options.volumes === true;
  const found = store.containers.resolve(reference);
  const directory = store.containers.directory(found.id);
  if (!existsSync(directory)) {
    // Damage that check names; the record is all there is to remove, and to lock.
    await store.containers.remove(found.id, { ownVolumes });
    return found.id;
  }
  using _lock = await store.containers.lock(found);
  const record = store.containers.get(found.id);
  const force = options.force === true;
  await endForRemoval(store, record, force);
  // The end of its run may have un-mounted it.
  const ended = store.containers.get(found.id);
  if (!force) refuseMountedRecord(ended);
  else if (ended.mountpoint !== undefined) await unmountRecord(store, ended, ended.mountpoint, { force });
  const { merged } = containerDirectories(directory);
  clearStale(merged);
  // Who un-mounted what was left of a dead server by hand has left this.
  removeDoor(record.mountpoint ?? merged);
  await store.containers.remove(record.id, { ownVolumes });
  return record.id;
}

function refuseMountedRecord(record: ContainerRecord): void {
  const mountpoint = currentMountpoint(record);
  if (mountpoint === undefined) return;
  throw new VeneerError('in-use', `cannot remove container ${record.name}: it is mounted at ${mountpoint}`, {
    hint: `un-mount it first: veneer umount ${record.name}, or use --force`,
  });
}

async function endForRemoval(store: Store, record: ContainerRecord, force: boolean): Promise<void> {
  const run = await reconcileRun(store, record);
  if (run === undefined || run.phase === 'ended') return;
  if (!force) {
    const { status } = containerState(store, record);
    const doing = run.phase === 'starting' ? 'is being started' : status === 'exited' ? 'is running' : `is ${status}`;
    throw new VeneerError('in-use', `cannot remove container ${record.name}: it ${doing}`, {
      hint: `stop it first: veneer stop ${record.name}, or use --force`,
    });
  }
  const stopped = await markStopped(store, { record, run });
  if (!isUp(stopped)) return;
  await killRun(store, record, stopped);
  await endRun(store, record, stopped);
}
