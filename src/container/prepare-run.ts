// From a container to a process that waits to be let go: mount, specification, runtime.

import { VeneerError, messageOf } from '../core/index.js';
import { requireNamespace } from '../rootless/index.js';
import type { WaitingServer } from '../overlay/index.js';
import { Runtime, StartError, cgroupPlace, findRuntime } from '../runtime/index.js';
import type { CgroupPlace, CreateRequest, OciSpec } from '../runtime/index.js';
import type { ContainerRecord, ContainerRun, HeldLock, Store } from '../store/index.js';
import { bootId, identityOf } from '../sys/index.js';
import { containerSpec } from './container-spec.js';
import { exitCommand } from './exit-command.js';
import { mountState } from './mount-state.js';
import { currentMountpoint, mountRecord } from './mount.js';
import { prepareMounts } from './prepare-mounts.js';
import { PreparedRun } from './prepared-run.js';
import { endRun, reconcileRun } from './run-end.js';
import { networkModeOf, noNetworkYet, prepareRunNetwork } from './run-network.js';
import { runSettings } from './run-settings.js';
import type { RunSettings } from './run-settings.js';
import { runDirectoryOf, runFilesOf } from './state.js';
import { containerDirectories } from './container-directories.js';

export interface PrepareRunOptions {
  /** Whether the caller stays until the end and cleans up then (`finish`); if it does not live then, conmon has it done. */
  readonly foreground: boolean;
  /** Of a container that has just been made: its server, which waits. */
  readonly server?: WaitingServer | undefined;
  /** Hears of what was asked for and cannot be had. */
  readonly onWarning?: (message: string) => void;
}

/**
 * Makes a container ready to run: mounted, and its first process made and waiting. The container's lock is held until the run's `start`, or
 * its `abandon`. Throws `not-found`, `in-use` for a container that runs, and `StartError`; then nothing is left.
 */
export async function prepareRun(store: Store, reference: string, options: PrepareRunOptions): Promise<PreparedRun> {
  const found = store.containers.resolve(reference);
  const lock = await store.containers.lock(found);
  try {
    return await prepareLocked(store, store.containers.get(found.id), { ...options, lock });
  } catch (error) {
    lock.release();
    throw error;
  }
}

interface LockedOptions extends PrepareRunOptions {
  readonly lock: HeldLock;
  /** Of a container that its policy starts again: how often, and after what wait. */
  readonly repeats?: Pick<ContainerRun, 'restarts' | 'pause'>;
}

/** As `prepareRun`, of a container whose lock is held and goes over to the run. */
export async function prepareLocked(
  store: Store,
  record: ContainerRecord,
  options: LockedOptions,
): Promise<PreparedRun> {
  requireNamespace();
  const before = await reconcileRun(store, record);
  refuseRunning(record, before);
  const settings = runSettings(store, record);
  const program = findRuntime(settings.runtime ?? process.env['VENEER_RUNTIME']);
  const starter = identityOf(process.pid);
  let run: ContainerRun = {
    boot: bootId(),
    phase: 'starting',
    ...(starter === undefined ? {} : { starter }),
    mounts: false,
    runtime: program.path,
    restarts: 0,
    ...options.repeats,
    // Until it has started, it is what it was.
    ...lastEnd(before),
  };
  const note = (more: Partial<ContainerRun>): void => {
    run = { ...run, ...more };
    store.runs.set(record.id, run);
  };
  note({});
  try {
    const mode = networkModeOf(store, record);
    // Said before it is done: who is killed meanwhile leaves word of what there may be.
    note({ mounts: currentMountpoint(record) === undefined, network: noNetworkYet(mode) });
    const { onWarning = () => undefined } = options;
    const [mounting, preparing] = await Promise.allSettled([
      mountRecord(store, record, { toRun: true, temporary: settings.autoRemove, server: options.server }),
      prepareRunNetwork(store, record, { mode, onWarning }),
    ]);
    using _network = preparing.status === 'fulfilled' ? preparing.value : undefined;
    const mounted = valueOf(mounting);
    const server = mounted.server === undefined ? undefined : identityOf(mounted.server);
    if (server !== undefined) note({ server });
    const network = valueOf(preparing);
    note({ network: network.state });
    const runtime = new Runtime(runDirectoryOf(store), program);
    const cgroups = cgroupPlace(record.id, settings.cgroupParent);
    const { mountpoint: rootfs } = mounted;
    await prepareMounts(store, settings.mounts, { rootfs, isFirstRun: before?.startedAt === undefined });
    const { state, namespace } = network;
    const spec = containerSpec(store, record, {
      rootfs,
      cgroups,
      network: state,
      networkNamespace: namespace,
      onWarning,
    });
    const { foreground } = options;
    const created = await runtime.create(createRequest(store, { record, spec, settings, cgroups, foreground }));
    note(created);
    note({ network: await network.connect(created.process.pid) });
    return new PreparedRun({ store, record, runtime, run, lock: options.lock, settings });
  } catch (thrown) {
    const error = deadServer(store, record, thrown) ?? thrown;
    await endRun(store, record, { ...run, ...failure(error), finishedAt: Date.now() });
    if (settings.autoRemove) await store.containers.remove(record.id, { ownVolumes: true });
    throw error instanceof VeneerError
      ? error
      : new VeneerError('unavailable', `cannot start container ${record.name}: ${messageOf(error)}`, { cause: error });
  }
}

function lastEnd(run: ContainerRun | undefined): Partial<ContainerRun> {
  const { startedAt, finishedAt, exitCode, error, oomKilled } = run ?? {};
  return {
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(finishedAt === undefined ? {} : { finishedAt }),
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(error === undefined ? {} : { error }),
    ...(oomKilled === undefined ? {} : { oomKilled }),
  };
}

/** What went wrong because nobody serves the tree any more. */
function deadServer(store: Store, { id, name }: ContainerRecord, cause: unknown): VeneerError | undefined {
  const { mountpoint } = store.containers.get(id);
  if (mountpoint === undefined || mountState(mountpoint).kind !== 'stale') return undefined;
  const { log } = containerDirectories(store.containers.directory(id));
  const message = `cannot start container ${name}: the server of its file system has died (last words in ${log})`;
  return new VeneerError('unavailable', message, { cause });
}

function valueOf<T>(settled: PromiseSettledResult<T>): T {
  if (settled.status === 'rejected') throw settled.reason;
  return settled.value;
}

function failure(error: unknown): { error: string; exitCode: number } {
  return { error: messageOf(error), exitCode: error instanceof StartError ? error.exitCode : 125 };
}

/** One that waits to be started by its policy may be started by anybody. */
function refuseRunning({ name }: ContainerRecord, run: ContainerRun | undefined): void {
  if (run === undefined || run.phase === 'ended' || run.phase === 'waiting') return;
  throw new VeneerError('in-use', `container ${name} is running already`, {
    hint: `veneer exec ${name} COMMAND runs something in it`,
  });
}

interface Wanted {
  readonly record: ContainerRecord;
  readonly spec: OciSpec;
  readonly settings: RunSettings;
  readonly cgroups: CgroupPlace;
  readonly foreground: boolean;
}

function createRequest(store: Store, { record, spec, settings, cgroups, foreground }: Wanted): CreateRequest {
  const { id, name } = record;
  const { outputLog } = containerDirectories(store.containers.directory(id));
  return {
    id,
    name,
    spec,
    terminal: settings.terminal,
    stdin: settings.stdin,
    cgroups: cgroups.manager,
    ...(settings.log === undefined ? {} : { log: { path: outputLog, ...settings.log } }),
    exitCommand: exitCommand(store.root, id, {
      ...(foreground && settings.restart.name === 'no' ? { unlessAlive: runFilesOf(store, id).left } : {}),
    }),
  };
}
