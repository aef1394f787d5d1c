// The end of a run: everything it has made is taken away again, whoever notices that it is over.

import { rmSync } from 'node:fs';
import type { ContainerRecord, ContainerRun, Store } from '../store/index.js';
import { Runtime, cgroupPlace, findRuntime, killMonitors, removeCgroups } from '../runtime/index.js';
import { bootId, isRunning } from '../sys/index.js';
import { tellOfEnd } from './end-witness.js';
import { endHealthChecks } from './health/health-checks.js';
import { endRunNetwork } from './run-network.js';
import { runSettings } from './run-settings.js';
import { removeSharedMemory } from './shared-memory.js';
import { runDirectoryOf, runFilesOf, runOutcome } from './state.js';
import { unmountRecord } from './unmount-record.js';
import { isToRestart } from './wants-restart.js';

/** The runtime that a run was made with. */
export function runtimeOf(store: Store, run: ContainerRun | undefined): Runtime {
  return new Runtime(runDirectoryOf(store), findRuntime(run?.runtime));
}

/**
 * Cleans up after the last run of a container, if that is over and was not. The caller holds the container's lock. May be
 * done again after it was interrupted at any point.
 */
export async function reconcileRun(store: Store, record: ContainerRecord): Promise<ContainerRun | undefined> {
  const run = store.runs.get(record.id);
  if (run === undefined || run.phase === 'ended') return run;
  if (run.phase === 'waiting') return isRunning(run.starter) ? run : settle(store, record, { ...run, phase: 'ended' });
  if (run.phase === 'ending') return takeAway(store, record, run);
  const outcome = runOutcome(store, record.id, run);
  if (outcome.kind !== 'over') return run;
  const { exitCode, oomKilled, finishedAt = Date.now(), error } = outcome;
  return endRun(store, record, { ...run, exitCode, oomKilled, finishedAt, ...(error === undefined ? {} : { error }) });
}

/** Ends a run whatever its processes do. The caller holds the container's lock. */
export function endRun(store: Store, record: ContainerRecord, run: ContainerRun): Promise<ContainerRun> {
  return takeAway(store, record, settle(store, record, { ...run, phase: 'ending' }));
}

function settle(store: Store, record: ContainerRecord, run: ContainerRun): ContainerRun {
  store.runs.set(record.id, run);
  return run;
}

async function takeAway(store: Store, record: ContainerRecord, run: ContainerRun): Promise<ContainerRun> {
  const { directory } = runFilesOf(store, record.id);
  const health = endHealthChecks(directory) ?? run.health;
  const processes = run.boot === bootId() ? endProcesses(store, record, run) : undefined;
  // One that is there keeps the mount busy, in a namespace of its own.
  if (run.process === undefined || isRunning(run.process)) await processes;
  await Promise.all([
    processes,
    run.mounts ? unmount(store, record, run) : undefined,
    endRunNetwork(store, record, run),
  ]);
  removeSharedMemory(store, record.id);
  rmSync(directory, { recursive: true, force: true });
  const { starter: _starter, process: _process, monitor, server: _server, network: _network, ...rest } = run;
  const ended: ContainerRun = { ...rest, phase: 'ended', mounts: false, ...(health === undefined ? {} : { health }) };
  // One that its policy starts again has not ended for who waits or looks.
  const { exitCode } = ended;
  if (isToRestart(store, record, ended))
    return settle(store, record, monitor === undefined ? ended : { ...ended, monitor });
  if (exitCode !== undefined) tellOfEnd(store, record.id, exitCode);
  return settle(store, record, ended);
}

async function unmount(store: Store, record: ContainerRecord, run: ContainerRun): Promise<void> {
  const { mountpoint } = store.containers.get(record.id);
  if (mountpoint === undefined) return;
  await unmountRecord(store, record, mountpoint, { force: true, server: run.server?.pid });
}

/** What the runtime has of the container, and what it may have left. */
async function endProcesses(store: Store, record: ContainerRecord, run: ContainerRun): Promise<void> {
  if (run.process === undefined) await killMonitors(runFilesOf(store, record.id));
  await runtimeOf(store, run).delete(record.id, { force: true });
  await removeCgroups(cgroupPlace(record.id, parentOf(store, record)));
}

function parentOf(store: Store, record: ContainerRecord): string {
  try {
    return runSettings(store, record).cgroupParent;
  } catch {
    // A container whose files are damaged is cleaned up, too.
    return '';
  }
}
