// `exec`: a further process in a running container.

import { constants } from 'node:os';
import { VeneerError } from '../core/index.js';
import { StartError } from '../runtime/index.js';
import type { Exec, ProcessRequest } from '../runtime/index.js';
import type { ContainerRecord, Store } from '../store/index.js';
import { kill } from '../sys/index.js';
import { execProcess } from './exec-process.js';
import { refuseLostTree } from './lost-tree.js';
import { runtimeOf } from './run-end.js';
import { containerState } from './state.js';

export interface ExecOptions extends Omit<ProcessRequest, 'args' | 'tty' | 'size'> {
  readonly command: readonly string[];
  readonly terminal: boolean;
  /** Whether it reads what we send. */
  readonly stdin: boolean;
  /** It runs by itself, and what it writes is lost. */
  readonly detached: boolean;
}

export class PreparedExec {
  readonly #exec: Exec;
  readonly #requireRunning: () => void;
  #pid: number | undefined;

  /** `requireRunning` throws where the container has ended. */
  constructor(exec: Exec, requireRunning: () => void) {
    this.#exec = exec;
    this.#requireRunning = requireRunning;
  }

  get attachSocket(): string {
    return this.#exec.attachSocket;
  }

  get controlFifo(): string {
    return this.#exec.controlFifo;
  }

  /** Throws `StartError`; `not-found` or `invalid` for a container that has ended meanwhile. */
  async start(): Promise<void> {
    try {
      this.#pid = await this.#exec.start();
    } catch (error) {
      // A runtime has words of its own for that.
      if (error instanceof StartError && error.exitCode === 125) this.#requireRunning();
      throw error;
    }
  }

  /** Sends a signal to the process, which is there until `wait` resolves. */
  signal(signal: NodeJS.Signals): Promise<void> {
    if (this.#pid !== undefined) kill(this.#pid, constants.signals[signal]);
    return Promise.resolve();
  }

  /** Resolves to the exit code when the process has ended. */
  async wait(): Promise<number> {
    const code = await this.#exec.wait();
    this.#pid = undefined;
    return code;
  }

  /** Leaves it running, instead of `wait`. */
  release(): void {
    this.#exec.release();
  }
}

/**
 * Makes a process in a running container ready to start. Throws `not-found`, `invalid` for a container that does not run, `unavailable` for
 * one whose file system has died, `StartError`.
 */
export async function prepareExec(store: Store, reference: string, options: ExecOptions): Promise<PreparedExec> {
  const record = store.containers.resolve(reference);
  requireRunning(store, record);
  const { command, terminal, stdin, detached, ...request } = options;
  const { process, cgroups } = execProcess(store, record, { ...request, args: command, tty: terminal });
  const runtime = runtimeOf(store, store.runs.get(record.id));
  const { id, name } = record;
  const exec = await runtime.prepareExec({ id, name, process, terminal, stdin, detached, cgroups });
  return new PreparedExec(exec, () => {
    requireRunning(store, store.containers.resolve(reference));
  });
}

function requireRunning(store: Store, record: ContainerRecord): void {
  const state = containerState(store, record);
  const { status } = state;
  const { name } = record;
  if (status === 'paused') {
    throw new VeneerError('invalid', `container ${name} is paused`, { hint: `veneer unpause ${name}` });
  }
  if (status !== 'running') {
    throw new VeneerError('invalid', `container ${name} is not running`, { hint: `veneer start ${name}` });
  }
  refuseLostTree(store, record, state);
}
