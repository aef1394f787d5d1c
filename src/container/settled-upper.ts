// The upper directory of a container that is not mounted, in a state in which it can be read as a layer.

import type { ContainerRecord, Store } from '../store/index.js';
import { baseDirectories, lowerDirectories } from './lower-directories.js';
import { settleLinks } from './settle-links.js';
import { ensureDirectories } from './upper-directory.js';

export interface SettledUpper {
  readonly upper: string;
  /** What it lies on, top first. */
  readonly lower: readonly string[];
  /** The layers among these. */
  readonly base: readonly string[];
}

/** Call it with the container's lock held. */
export function settledUpper(store: Store, record: ContainerRecord): SettledUpper {
  const lower = lowerDirectories(store, record);
  const { upper, index } = ensureDirectories(store.containers.directory(record.id), lower[0] ?? '');
  settleLinks({ upper, index, lower });
  return { upper, lower, base: baseDirectories(store, record) };
}
