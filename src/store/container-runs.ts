// The rows of runs, without rules: what is known of the last run of a container. Whether it still goes on, the kernel knows.

import type { ProcessIdentity } from '../sys/index.js';
import type { Database } from './database.js';

export interface ContainerRun {
  /** The boot it belongs to (/proc/sys/kernel/random/boot_id): none of its processes outlives that. */
  readonly boot: string;
  /**
   * - `starting`: being made by `starter`
   * - `started`: running, unless its processes say otherwise
   * - `ending`: has ended, as far as `exitCode` and the like go, and is being cleaned up
   * - `ended`: nothing is left of it
   * - `waiting`: ended, and to be started again by `starter`
   */
  readonly phase: 'starting' | 'started' | 'ending' | 'ended' | 'waiting';
  /** The veneer that starts it, or waits to. */
  readonly starter?: ProcessIdentity;
  /** The container's first process. */
  readonly process?: ProcessIdentity;
  /** Its conmon. */
  readonly monitor?: ProcessIdentity;
  /** The server of its file system, where the run has mounted it. */
  readonly server?: ProcessIdentity;
  /** Whether the run has mounted the container, and is to un-mount it. */
  readonly mounts: boolean;
  /** The path of the OCI runtime. */
  readonly runtime?: string;
  /** Milliseconds since the epoch. */
  readonly startedAt?: number;
  readonly finishedAt?: number;
  readonly exitCode?: number;
  /** Why it ended, or was not started, where its exit code does not tell. */
  readonly error?: string;
  readonly oomKilled?: boolean;
  /** How often it was started again by its policy. */
  readonly restarts: number;
  /** How long the last wait for such a start was, in milliseconds. */
  readonly pause?: number;
  /** A user has stopped it: its policy does not start it again. */
  readonly stopped?: boolean;
  /** It has been stopped to be started again: it stays even if it is one to be removed at its end. */
  readonly kept?: boolean;
  /** What its health checks said at its end, for the container room. */
  readonly health?: unknown;
  /** What the network room has made, for itself. */
  readonly network?: unknown;
}

export class ContainerRuns {
  readonly #database: Database;
  readonly #statements;

  constructor(database: Database) {
    this.#database = database;
    const { sql } = database;
    this.#statements = {
      get: sql.prepare<[string], string>('SELECT run FROM container_runs WHERE container = ?').pluck(),
      list: sql.prepare<[], { container: string; run: string }>('SELECT container, run FROM container_runs'),
      set: sql.prepare<[string, string]>('INSERT OR REPLACE INTO container_runs VALUES (?, ?)'),
    };
  }

  /** The last run of the container of an ID. */
  get(id: string): ContainerRun | undefined {
    const json = this.#statements.get.get(id);
    return json === undefined ? undefined : (JSON.parse(json) as ContainerRun);
  }

  /** Of all containers that were ever started, by ID. */
  list(): Map<string, ContainerRun> {
    return new Map(
      this.#statements.list.all().map(({ container, run }) => [container, JSON.parse(run) as ContainerRun]),
    );
  }

  /** Records a run. Nothing waits for the disk: what a loss of power takes back it has ended, too. */
  set(id: string, run: ContainerRun): void {
    this.#database.transactVolatile(() => this.#statements.set.run(id, JSON.stringify(run)));
  }
}
