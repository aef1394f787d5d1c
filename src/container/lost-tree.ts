// A container that runs although its file system does not: its programs get ENOTCONN, or wait, and so would ours.

import { join } from 'node:path';
import { VeneerError } from '../core/index.js';
import type { ContainerRecord, Store } from '../store/index.js';
import { containerState } from './state.js';
import type { ContainerState } from './state.js';

type Known = Pick<ContainerState, 'fileSystem'>;

/** Throws `unavailable` where whoever looks at the tree of a container that runs would wait for its server to go on. */
export function refuseHaltedTree(
  store: Store,
  record: ContainerRecord,
  { fileSystem }: Known = containerState(store, record),
): void {
  if (typeof fileSystem !== 'object' || fileSystem.state !== 'halted') return;
  throw new VeneerError(
    'unavailable',
    `the file system of container ${record.name} does not answer: ${fileSystem.reason}`,
    { hint: `veneer restart ${record.name}` },
  );
}

/** Throws `unavailable` where a container that runs has lost its tree, for what needs that. */
export function refuseLostTree(
  store: Store,
  record: ContainerRecord,
  known: Known = containerState(store, record),
): void {
  refuseHaltedTree(store, record, known);
  if (typeof known.fileSystem !== 'object') return;
  const log = join(store.containers.directory(record.id), 'log');
  const message = `the file system of container ${record.name} has died (${known.fileSystem.reason}; last words in ${log})`;
  throw new VeneerError('unavailable', message, { hint: `veneer restart ${record.name}` });
}
