// Our terminal and streams as those of a container: for run, start -a, attach and exec.

import { writeSync } from 'node:fs';
import { constants } from 'node:os';
import { isatty } from 'node:tty';
import { VeneerError } from '../core/index.js';
import { Attachment, fdSink, proxySignals, rawTerminal, resizeTerminal, watchTerminalSize } from '../runtime/index.js';

export interface Streams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

export interface StreamsOptions {
  readonly attachSocket: string;
  readonly controlFifo: string;
  /** Whether the container has a terminal. */
  readonly tty: boolean;
  readonly streams: Streams;
  readonly detachKeys: readonly number[];
  /** Takes the signals that are sent to us; not given, they are for us. */
  readonly sendSignal?: ((signal: NodeJS.Signals) => Promise<unknown>) | undefined;
  /** Lets the command go, once all that it writes is seen. */
  readonly begin?: () => Promise<void>;
}

/** How it came to an end: the command's, or ours while it goes on: by the user's keys, or by a signal. */
export type StreamsEnd = { readonly by: 'command' | 'keys' } | { readonly by: 'signal'; readonly exitCode: number };

/** Throws `usage` where a command that reads from a terminal would have none, in docker's words. */
export function requireTerminal({ tty, stdin }: { readonly tty: boolean; readonly stdin: boolean }): void {
  if (!tty || !stdin || isatty(0)) return;
  throw new VeneerError('usage', 'cannot attach stdin to a TTY-enabled container because stdin is not a terminal', {
    hint: 'leave out -t to pipe something in',
  });
}

/** A third request to stop that the command does not follow ends us, as docker has it. */
const MAX_REQUESTS = 3;

/** Passes everything through until the command ends. The terminal is as it was, then, whatever happens. */
export async function passStreams(options: StreamsOptions): Promise<StreamsEnd> {
  const { attachSocket, controlFifo, tty, streams, detachKeys, begin } = options;
  const leave = new AbortController();
  const attachment = Attachment.open(attachSocket);
  using _size = tty ? watchTerminalSize([1, 0, 2], (size) => resizeTerminal(controlFifo, size)) : undefined;
  using _raw = tty && streams.stdin ? rawTerminal(0) : undefined;
  const relayed = attachment.relay({
    stdin: streams.stdin ? process.stdin : undefined,
    stdout: streams.stdout ? fdSink(1) : undefined,
    stderr: streams.stderr ? fdSink(2) : undefined,
    detachKeys: tty && streams.stdin ? detachKeys : [],
    signal: leave.signal,
  });
  // It is awaited later, and may fail before.
  relayed.catch(() => undefined);
  using proxy = proxyOf(options, (exitCode) => leave.abort(exitCode));
  try {
    await begin?.();
  } catch (error) {
    attachment.close();
    await relayed;
    throw error;
  }
  proxy?.begun();
  const outcome = await relayed;
  if (leave.signal.aborted) return { by: 'signal', exitCode: Number(leave.signal.reason) };
  if (outcome === 'ended') return { by: 'command' };
  // The prompt of the user's shell does not follow that of the container's.
  if (tty && isatty(1)) writeSync(1, '\r\n');
  return { by: 'keys' };
}

interface SignalProxy extends Disposable {
  /** From now on there is somebody to send signals to: those that came before are sent now. */
  begun(): void;
}

function proxyOf({ sendSignal, tty }: StreamsOptions, leave: (exitCode: number) => void): SignalProxy | undefined {
  if (sendSignal === undefined) return undefined;
  let early: NodeJS.Signals[] | undefined = [];
  let requests = 0;
  const pass = (signal: NodeJS.Signals): void => {
    // Whoever has ended needs none.
    const sent = sendSignal(signal).catch(() => undefined);
    const exitCode = 128 + constants.signals[signal];
    // Our terminal is gone.
    if (tty && signal === 'SIGHUP') void sent.then(() => leave(exitCode));
    if (signal !== 'SIGINT' && signal !== 'SIGTERM') return;
    requests += 1;
    if (requests >= MAX_REQUESTS) leave(exitCode);
  };
  const proxy = proxySignals((signal) => {
    if (early === undefined) pass(signal);
    else early.push(signal);
  });
  return {
    begun: () => {
      const waiting = early ?? [];
      early = undefined;
      waiting.forEach(pass);
    },
    [Symbol.dispose]: () => proxy[Symbol.dispose](),
  };
}
