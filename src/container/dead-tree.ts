// A container that runs although the server of its file system has died: its programs get ENOTCONN, and so would ours.

import { join } from 'node:path';
import { VeneerError } from '../core/index.js';
import type { ContainerRecord, Store } from '../store/index.js';
import { containerState } from './state.js';

/** Throws `unavailable` where a container that runs has lost its tree, for what needs that. */
export function refuseDeadTree(store: Store, record: ContainerRecord): void {
  const { fileSystem } = containerState(store, record);
  if (typeof fileSystem !== 'object') return;
  const log = join(store.containers.directory(record.id), 'log');
  const message = `the file system of container ${record.name} has died (${fileSystem.died}; last words in ${log})`;
  throw new VeneerError('unavailable', message, { hint: `veneer restart ${record.name}` });
}
