// Removes what check calls leftovers: what nothing refers to and no living process works on.

import { join } from 'node:path';
import type { Digest } from '../core/index.js';
import { checkStore } from './check.js';
import type { FindingKind } from './finding.js';
import type { StoreParts } from './parts.js';
import type { Staged } from './staging.js';

/** The names of what was removed. */
export interface Pruned {
  readonly staging: readonly string[];
  readonly layers: readonly string[];
  readonly blobs: readonly string[];
  readonly containers: readonly string[];
  /** Directories that were frozen, and that no snapshot needs. */
  readonly frozen: readonly string[];
  readonly volumes: readonly string[];
}

/** Removes all leftovers. Takes names away under the store's lock and deletes files after it, so that others go on. */
export function pruneStore(parts: StoreParts): Pruned {
  const { lock, staging, paths } = parts;
  const trashed: Staged[] = [];
  const removed = lock.exclusively(() => {
    parts.containers.recoverAbandoned();
    parts.leases.dropStale();
    parts.database.transactRemoval(() => {
      parts.layers.forgetAllUnneeded();
      parts.frozen.forgetUnneeded();
      parts.remotes.forgetUnneeded();
    });
    const findings = checkStore(parts);
    const objects = (kind: FindingKind): string[] =>
      findings.filter((one) => one.kind === kind).map((one) => one.object);
    const layers = objects('layer-extra');
    const containers = objects('container-extra');
    const blobs = objects('blob-extra');
    const frozen = objects('frozen-extra');
    const volumes = objects('volume-extra');
    trashed.push(...parts.volumes.trash(volumes));
    for (const name of layers) trashed.push(staging.trash(join(paths.layers, name)));
    for (const name of containers) trashed.push(staging.trash(join(paths.containers, name)));
    for (const name of frozen) trashed.push(staging.trash(join(paths.frozen, name)));
    parts.content.removeAll(blobs.map((name) => `sha256:${name}` as Digest));
    return { layers, containers, frozen, blobs, volumes };
  });
  for (const staged of trashed) staging.discard(staged);
  return { ...removed, staging: staging.sweep() };
}
