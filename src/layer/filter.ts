// Streams of bytes through zlib's threads or through programs of the system.

import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { pipeline, Readable } from 'node:stream';
import type { Transform, Writable } from 'node:stream';
import { hasCode, VeneerError } from '../core/index.js';

export type Chunks = AsyncIterable<Uint8Array>;

/** Asked for one chunk ahead: sixteen, Node's default for objects, are megabytes. */
function readable(source: Chunks): Readable {
  return Readable.from(source, { highWaterMark: 1 });
}

/** What a failing source throws is thrown again by the output. */
export function filterThroughStream(stream: Transform, source: Chunks): Chunks {
  pipeline(readable(source), stream, () => undefined);
  return stream as Chunks;
}

/** A program that has not ended well: what it said. */
export class ProgramError extends Error {
  override readonly name = 'ProgramError';
  /** A program has no other way to say what the file system said to it. */
  readonly code = this.message.includes('No space left on device') ? 'ENOSPC' : undefined;
}

/** The Debian packages of programs that are not named after them. */
const PACKAGES: Readonly<Record<string, string>> = { xz: 'xz-utils' };

type Command = readonly [program: string, ...args: string[]];
/** Its output is a pipe, or a file. */
type Filter = ChildProcessByStdio<Writable, Readable | null, Readable>;

/** Starts a filter program. `completed` is fulfilled when it has ended well, and its output is whole. */
function start(
  [program, ...args]: Command,
  source: Chunks,
  output: 'pipe' | number,
): { readonly child: Filter; readonly completed: Promise<void> } {
  const child = spawn(program, args, { stdio: ['pipe', output, 'pipe'] }) as Filter;
  let failure: { readonly error: unknown } | undefined;
  const completed = outcome(child, program).catch((error: unknown) => {
    throw failure === undefined ? error : failure.error;
  });
  // Awaited by those who use the output, when it has ended; it may fail before.
  completed.catch(() => undefined);
  // EPIPE says no more than that the program has ended, and why is for its exit code to say.
  pipeline(readable(source), child.stdin, (error) => {
    if (!error || hasCode(error, 'EPIPE') || child.exitCode !== null || child.pid === undefined) return;
    failure = { error };
    child.kill();
  });
  return { child, completed };
}

/**
 * Runs a filter program. Its output is only complete when it has ended well: it throws a ProgramError if not, and
 * `unavailable` where there is no such program. What a failing source throws is thrown again.
 */
export async function* filterThroughProgram(command: Command, source: Chunks): AsyncGenerator<Uint8Array, void> {
  const { child, completed } = start(command, source, 'pipe');
  try {
    yield* child.stdout as Chunks;
    await completed;
  } finally {
    child.kill();
  }
}

/** As `filterThroughProgram`, but the program writes to an open file by itself. */
export async function filterIntoFile(command: Command, source: Chunks, fd: number): Promise<void> {
  const { child, completed } = start(command, source, fd);
  try {
    await completed;
  } finally {
    child.kill();
  }
}

/** Fulfilled when the program has done its work. */
function outcome(child: Filter, program: string): Promise<void> {
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint = (complaint + text).slice(0, 500)));
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => {
      const missing = hasCode(cause, 'ENOENT');
      const why = missing ? 'it is not installed' : cause.message;
      const hint = missing ? { hint: `install ${PACKAGES[program] ?? program}` } : {};
      reject(new VeneerError('unavailable', `cannot run '${program}': ${why}`, { cause, ...hint }));
    });
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new ProgramError(complaint.trim() || `${program} failed`));
    });
  });
}
