// A run that waits to be let go, and then, for who stays with it, its end.

import { writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { hasCode } from '../core/index.js';
import type { Runtime } from '../runtime/index.js';
import type { ContainerRecord, ContainerRun, HeldLock, Store } from '../store/index.js';
import { isRunning, kill } from '../sys/index.js';
import { cleanUp } from './clean-up.js';
import { endRun } from './run-end.js';
import { startHealthChecks } from './health/health-checks.js';
import type { RunSettings } from './run-settings.js';
import { runFilesOf } from './state.js';
import { waitForEnd } from './wait-for-end.js';

interface Parts {
  readonly store: Store;
  readonly record: ContainerRecord;
  readonly runtime: Runtime;
  readonly run: ContainerRun;
  readonly settings: RunSettings;
  readonly lock: HeldLock;
}

export class PreparedRun {
  readonly #parts: Parts;
  #run: ContainerRun;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#run = parts.run;
  }

  get id(): string {
    return this.#parts.record.id;
  }

  get name(): string {
    return this.#parts.record.name;
  }

  /** Where conmon waits for who wants the container's standard streams. */
  get attachSocket(): string {
    return this.#parts.runtime.files(this.id).attach;
  }

  /** Where it is told the size of the terminal. */
  get controlFifo(): string {
    return this.#parts.runtime.files(this.id).control;
  }

  get terminal(): boolean {
    return this.#parts.settings.terminal;
  }

  /** Lets the command begin, and the container's lock go. Throws `StartError`; then nothing is left of the run. */
  async start(): Promise<void> {
    const { store, record, runtime, lock } = this.#parts;
    try {
      // Recorded first: it may be over before this is.
      const { starter: _starter, finishedAt: _at, exitCode: _code, error: _error, oomKilled: _oom, ...run } = this.#run;
      this.#run = { ...run, phase: 'started', startedAt: Date.now() };
      store.runs.set(record.id, this.#run);
      await runtime.start(record.id, record.name);
      if (this.#run.process !== undefined)
        startHealthChecks(store, store.containers.get(record.id), { runtime, first: this.#run.process });
    } catch (error) {
      await this.#end({ error: error instanceof Error ? error.message : String(error), exitCode: 125 });
      throw error;
    } finally {
      lock.release();
    }
  }

  /** Takes back what was prepared, instead of `start`. */
  async abandon(): Promise<void> {
    try {
      await this.#end({ error: 'its start was given up', exitCode: 125 });
    } finally {
      this.#parts.lock.release();
    }
  }

  async #end(why: { error: string; exitCode: number }): Promise<void> {
    const { store, record, settings } = this.#parts;
    await endRun(store, record, { ...this.#run, ...why, finishedAt: Date.now() });
    if (settings.autoRemove) await store.containers.remove(record.id, { ownVolumes: true });
  }

  /** Sends a signal to the command, unless it has ended. */
  signal(signal: NodeJS.Signals): Promise<void> {
    const { process: first } = this.#run;
    if (first !== undefined && isRunning(first)) kill(first.pid, constants.signals[signal]);
    return Promise.resolve();
  }

  /** Resolves when the command has ended, with its exit code. Rejects with the signal's reason. */
  async wait(signal?: AbortSignal): Promise<{ exitCode: number }> {
    return waitForEnd(this.#parts.store, this.id, this.#run, signal);
  }

  /** Instead of `wait` and `finish`: whoever sees the end cleans up, or this does, if that was before. */
  async leave(): Promise<void> {
    const { store } = this.#parts;
    try {
      writeFileSync(runFilesOf(store, this.id).left, '');
    } catch (error) {
      // It was cleaned up.
      if (!hasCode(error, 'ENOENT')) throw error;
    }
    await cleanUp(store, this.id);
  }

  /** Cleans up after the end: un-mounts, and removes the container if that was asked for. */
  async finish(): Promise<void> {
    const { store, settings } = this.#parts;
    // What its policy may start again is conmon's to end.
    if (settings.restart.name === 'no') await cleanUp(store, this.id);
  }
}
