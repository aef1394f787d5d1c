// Health checks: one process for each container that has them, which the start of the container starts, and which ends with it.

import { spawn } from 'node:child_process';
import { watch } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { VeneerError, hasCode } from '../../core/index.js';
import type { ContainerRecord, Store } from '../../store/index.js';
import { identityOf, isRunning } from '../../sys/index.js';
import { PROGRAM } from '../exit-command.js';
import { containerState, runFilesOf } from '../state.js';
import { documentOf } from '../view.js';
import { readHealth, writeHealth } from './health-file.js';
import { STARTING, healthSettings, judge, pause } from './health-rules.js';
import type { HealthSettings } from './health-rules.js';
import { probe } from './probe.js';

function settingsOf(store: Store, record: ContainerRecord): HealthSettings | undefined {
  const { config } = documentOf(store, record);
  return healthSettings(config.Healthcheck, config.Shell);
}

/** Starts the process that checks a container which has just been started, if it has health checks. */
export function startHealthChecks(store: Store, record: ContainerRecord): void {
  if (settingsOf(store, record) === undefined) return;
  try {
    writeHealth(runFilesOf(store, record.id).directory, STARTING);
  } catch (error) {
    // It has ended already.
    if (hasCode(error, 'ENOENT')) return;
    throw error;
  }
  const args = [PROGRAM, '--root', store.root, 'container', 'watch-health', record.id];
  const watcher = spawn(process.execPath, args, { detached: true, stdio: 'ignore', cwd: '/' });
  watcher.once('error', () => undefined);
  watcher.unref();
}

/**
 * Checks a container, and writes down what is found, until it ends. Ends at once for a container without health checks, and where
 * another process checks it. Throws `not-found`.
 */
export async function watchHealth(store: Store, id: string): Promise<void> {
  const record = store.containers.get(id);
  const settings = settingsOf(store, record);
  const { process: first } = store.runs.get(id) ?? {};
  const { directory } = runFilesOf(store, id);
  if (settings === undefined || first === undefined || isRunning(readHealth(directory)?.watcher)) return;
  const self = identityOf(process.pid);
  const over = new AbortController();
  // conmon writes the exit code there; then the directory goes.
  using _watcher = watchDirectory(directory, () => {
    if (!isRunning(first)) over.abort();
  });
  let health = { ...STARTING, ...(self === undefined ? {} : { watcher: self }) };
  try {
    writeHealth(directory, health);
    while (isRunning(first)) {
      await sleep(pause(health, { settings, age: ageOf(store, record) }), undefined, { signal: over.signal });
      const age = ageOf(store, record);
      // What is paused cannot answer.
      if (containerState(store, record).status !== 'running') continue;
      const result = await probe(store, id, settings);
      if (over.signal.aborted || !isRunning(first)) return;
      health = { ...health, ...judge(health, result, { settings, age }) };
      writeHealth(directory, health);
    }
  } catch (error) {
    const isOver = over.signal.aborted || hasCode(error, 'ENOENT');
    if (!isOver && !(error instanceof VeneerError && error.code === 'not-found')) throw error;
  }
}

/** Milliseconds. */
function ageOf(store: Store, record: ContainerRecord): number {
  const { startedAt } = containerState(store, record);
  return startedAt === undefined ? 0 : Date.now() - startedAt.getTime();
}

function watchDirectory(directory: string, changed: () => void): Disposable {
  const watcher = watch(directory, changed);
  watcher.on('error', changed);
  return { [Symbol.dispose]: () => watcher.close() };
}
