// A container that runs with our terminal and streams: `run`, and `start --attach`.

import type { PreparedRun } from '../container/index.js';
import { hasCode } from '../core/index.js';
import type { WaitingServer } from '../overlay/index.js';
import type { Store } from '../store/index.js';
import type { AttachOptions } from './attach-options.js';
import { passStreams } from './container-streams.js';
import type { Streams, StreamsEnd } from './container-streams.js';
import { warn } from './warn.js';

export interface ForegroundOptions extends AttachOptions {
  readonly streams: Streams;
  /** Of a container that has just been made: its server, which waits. */
  readonly server?: WaitingServer | undefined;
}

/** How long a command whose reader has gone away may take to end. */
const GRACE_MS = 1000;

/**
 * Starts a container and stays with it. Resolves to its exit code, or, where it goes on without us, to that of the signal that made us
 * leave, 0 for the user's keys.
 */
export async function runForeground(store: Store, reference: string, options: ForegroundOptions): Promise<number> {
  const { prepareRun } = await import('../container/index.js');
  const run = await prepareRun(store, reference, { foreground: true, server: options.server, onWarning: warn });
  const progress = { begun: false };
  const begin = (): Promise<void> => {
    progress.begun = true;
    return run.start();
  };
  let end: StreamsEnd;
  try {
    end = await attach(run, { ...options, begin });
  } catch (error) {
    if (!progress.begun) await run.abandon();
    if (!hasCode(error, 'EPIPE')) {
      if (progress.begun) await run.leave();
      throw error;
    }
    await endWithoutReader(run);
    end = { by: 'command' };
  }
  if (end.by !== 'command') {
    await run.leave();
    return end.by === 'signal' ? end.exitCode : 0;
  }
  const { exitCode } = await run.wait();
  await run.finish();
  return exitCode;
}

function attach(run: PreparedRun, options: ForegroundOptions & { begin: () => Promise<void> }): Promise<StreamsEnd> {
  const { streams, sigProxy, detachKeys, begin } = options;
  const { attachSocket, controlFifo, terminal } = run;
  return passStreams({
    attachSocket,
    controlFifo,
    tty: terminal,
    streams,
    detachKeys,
    begin,
    sendSignal: sigProxy ? (signal) => run.signal(signal) : undefined,
  });
}

/** `run IMAGE yes | head -1`: the command would write for ever what nobody reads. */
async function endWithoutReader(run: PreparedRun): Promise<void> {
  await run.signal('SIGPIPE');
  const gone = new AbortController();
  const timer = setTimeout(() => void run.signal('SIGKILL'), GRACE_MS);
  try {
    await run.wait(gone.signal);
  } finally {
    clearTimeout(timer);
  }
}
