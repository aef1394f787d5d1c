// What a container is doing: what was recorded of its last run, corrected by what the kernel and conmon say now.

import type { NetworkState } from '../network/index.js';
import type { ContainerRecord, ContainerRun, Store } from '../store/index.js';
import { isFrozen, readRunEnd, runDirectory, runFiles } from '../runtime/index.js';
import type { RunFiles } from '../runtime/index.js';
import { bootId, isHalted, isRunning } from '../sys/index.js';
import { healthOf } from './health/health-file.js';
import type { Health } from './health/health-file.js';
import { MOUNT_TYPE, mountState } from './mount-state.js';
import { isToRestart } from './wants-restart.js';

export type Status = 'created' | 'running' | 'paused' | 'restarting' | 'exited' | 'dead';

/** A tree that cannot be reached, although the container runs. */
export interface LostTree {
  /** `halted`: its server was stopped by a signal; who looks at the tree waits until it goes on. */
  readonly state: 'died' | 'halted';
  /** A sentence without a full stop. */
  readonly reason: string;
}

export interface ContainerState {
  readonly status: Status;
  /** Of its first process, in the host's numbers, while that runs. */
  readonly pid?: number;
  /** Of its last run: the command's own, 128 and the signal that killed it, or 137 where nobody was there to see. */
  readonly exitCode?: number;
  readonly startedAt?: Date;
  readonly finishedAt?: Date;
  /** Why it ended or was not started, where the exit code does not tell: a sentence without a full stop. */
  readonly error?: string;
  readonly oomKilled: boolean;
  /** How often its restart policy has started it again. */
  readonly restartCount: number;
  readonly fileSystem: 'unmounted' | 'live' | LostTree;
  /** What its health checks say, or said at the end of its last run, if it has some. */
  readonly health?: Health;
  /** What the network room has made for it. */
  readonly network?: NetworkState;
}

/** Where the run directory of a store is, for this user. */
export function runDirectoryOf(store: Store): string {
  return runDirectory(store.root, { env: process.env, uid: process.geteuid?.() ?? 0 });
}

export function runFilesOf(store: Store, id: string): RunFiles {
  return runFiles(runDirectoryOf(store), id);
}

/** As SIGKILL: what nobody saw the end of was not asked to end. */
const UNSEEN = 137;

/** How a run has ended or stands: what was recorded, and what has happened since. */
export type RunOutcome =
  | { readonly kind: 'alive' }
  /** Its first process is gone; conmon is about to say how. */
  | { readonly kind: 'leaving' }
  | {
      readonly kind: 'over';
      readonly exitCode: number;
      readonly finishedAt?: number;
      readonly oomKilled: boolean;
      readonly error?: string;
    };

/** What has become of a run that was not cleaned up. */
export function runOutcome(store: Store, id: string, run: ContainerRun): RunOutcome {
  const unseen = (error: string): RunOutcome => ({ kind: 'over', exitCode: UNSEEN, oomKilled: false, error });
  if (run.boot !== bootId()) return unseen('the host went down');
  if (run.phase === 'starting') {
    if (isRunning(run.starter)) return { kind: 'alive' };
    // What was made has not begun to run its command: it is nobody's.
    return unseen('the veneer that started it was killed');
  }
  const watched = isRunning(run.monitor);
  const alive = isRunning(run.process);
  // Asked last: conmon may have written it, and ended, just now.
  const end = readRunEnd(runFilesOf(store, id));
  if (end !== undefined) return { kind: 'over', ...end };
  if (alive) return { kind: 'alive' };
  if (watched) return { kind: 'leaving' };
  return unseen('its monitor (conmon) was killed');
}

/** Whether the policy of a container is about to start it again: by its monitor, which becomes who cleans up. */
function isToBeRestarted(store: Store, record: ContainerRecord, run: ContainerRun): boolean {
  return run.boot === bootId() && isRunning(run.monitor) && isToRestart(store, record, run);
}

function statusOf(
  store: Store,
  record: ContainerRecord,
  run: ContainerRun,
): Pick<ContainerState, 'status' | 'pid'> & { over?: RunOutcome } {
  if (run.phase === 'waiting' && run.boot === bootId() && isRunning(run.starter)) return { status: 'restarting' };
  if (run.phase === 'ended' || run.phase === 'ending' || run.phase === 'waiting') {
    if (isToBeRestarted(store, record, run)) return { status: 'restarting' };
    return { status: run.startedAt === undefined ? 'created' : 'exited' };
  }
  const outcome = runOutcome(store, record.id, run);
  if (outcome.kind === 'over') {
    if (isToBeRestarted(store, record, { ...run, ...outcome })) return { status: 'restarting', over: outcome };
    return { status: run.phase === 'starting' && run.startedAt === undefined ? 'created' : 'exited', over: outcome };
  }
  if (run.phase === 'starting') {
    // Only who starts it by its policy has waited.
    if (run.pause !== undefined) return { status: 'restarting' };
    return { status: run.startedAt === undefined ? 'created' : 'exited' };
  }
  if (outcome.kind === 'leaving' || run.process === undefined) return { status: 'running' };
  const { pid } = run.process;
  return { status: isFrozen(pid) ? 'paused' : 'running', pid };
}

/** Cheap: it reads some small files of the kernel's, and starts nothing. */
export function containerState(store: Store, record: ContainerRecord): ContainerState {
  const run = store.runs.get(record.id);
  if (run === undefined) {
    return { status: 'created', oomKilled: false, restartCount: 0, fileSystem: fileSystemOf(record, undefined) };
  }
  const { status, pid, over } = statusOf(store, record, run);
  const end = over?.kind === 'over' ? over : run;
  const isUp = status === 'running' || status === 'paused';
  const health = isUp ? healthOf(runFilesOf(store, record.id).directory) : (run.health as Health | undefined);
  return {
    status,
    ...(pid === undefined ? {} : { pid }),
    ...(isUp || end.exitCode === undefined ? {} : { exitCode: end.exitCode }),
    ...(run.startedAt === undefined ? {} : { startedAt: new Date(run.startedAt) }),
    ...(isUp || end.finishedAt === undefined ? {} : { finishedAt: new Date(end.finishedAt) }),
    ...(isUp || end.error === undefined ? {} : { error: end.error }),
    oomKilled: !isUp && end.oomKilled === true,
    restartCount: run.restarts,
    fileSystem: fileSystemOf(record, isUp ? run : undefined),
    ...(health === undefined ? {} : { health }),
    ...(isUp && run.network !== undefined ? { network: run.network as NetworkState } : {}),
  };
}

/** `run`: of a container that is up. */
function fileSystemOf({ mountpoint }: ContainerRecord, run: ContainerRun | undefined): ContainerState['fileSystem'] {
  const number = run?.server === undefined ? undefined : String(run.server.pid);
  const server = number === undefined ? 'its server' : `its server, process ${number},`;
  // Not to be asked.
  if (number !== undefined && isHalted(run?.server)) {
    return { state: 'halted', reason: `${server} is stopped (kill -CONT ${number} lets it go on)` };
  }
  const state = mountpoint === undefined ? { kind: 'none' as const } : mountState(mountpoint);
  if (state.kind === 'live' && state.type === MOUNT_TYPE) return 'live';
  if (run === undefined) return 'unmounted';
  return { state: 'died', reason: state.kind === 'stale' ? `${server} is gone` : 'somebody has un-mounted it' };
}
