// The parts of an open store, for the operations that span them.

import type { ContainerRuns } from './container-runs.js';
import type { ContainerStore } from './containers.js';
import type { ContentStore } from './content.js';
import type { Database } from './database.js';
import type { FrozenStore } from './frozen.js';
import type { ImageStore } from './images.js';
import type { LayerStore } from './layers.js';
import type { LeaseRegistry } from './leases.js';
import type { StoreLock } from './lock.js';
import type { MountRegistry } from './mounts.js';
import type { StorePaths } from './paths.js';
import type { Remotes } from './remotes.js';
import type { StagingArea } from './staging.js';
import type { VolumeStore } from './volumes.js';

export interface StoreParts {
  readonly paths: StorePaths;
  readonly lock: StoreLock;
  readonly database: Database;
  readonly staging: StagingArea;
  readonly leases: LeaseRegistry;
  readonly content: ContentStore;
  readonly layers: LayerStore;
  readonly mounts: MountRegistry;
  readonly images: ImageStore;
  readonly containers: ContainerStore;
  readonly frozen: FrozenStore;
  readonly runs: ContainerRuns;
  readonly remotes: Remotes;
  readonly volumes: VolumeStore;
}
