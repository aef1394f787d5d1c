// Streams of bytes through zlib's threads or through programs of the system.

import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { pipeline, Readable } from 'node:stream';
import type { Transform } from 'node:stream';
import { hasCode, VeneerError } from '../core/index.js';

export type Chunks = AsyncIterable<Uint8Array>;

/** What a failing source throws is thrown again by the output. */
export function filterThroughStream(stream: Transform, source: Chunks): Chunks {
  pipeline(Readable.from(source), stream, () => undefined);
  return stream as Chunks;
}

/** A program that has not ended well: what it said. */
export class ProgramError extends Error {
  override readonly name = 'ProgramError';
}

/** The Debian packages of programs that are not named after them. */
const PACKAGES: Readonly<Record<string, string>> = { xz: 'xz-utils' };

/**
 * Runs a filter program. Its output is only complete when it has ended well: it throws a ProgramError if not, and
 * `unavailable` where there is no such program. What a failing source throws is thrown again.
 */
export async function* filterThroughProgram(
  [program, ...args]: readonly [program: string, ...args: string[]],
  source: Chunks,
): AsyncGenerator<Uint8Array, void> {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const ended = outcome(child, program);
  // Awaited below, when the output has ended; it may fail before.
  ended.catch(() => undefined);
  let failure: { readonly error: unknown } | undefined;
  // EPIPE says no more than that the program has ended, and why is for its exit code to say.
  pipeline(Readable.from(source), child.stdin, (error) => {
    if (!error || hasCode(error, 'EPIPE') || child.exitCode !== null || child.pid === undefined) return;
    failure = { error };
    child.kill();
  });
  try {
    yield* child.stdout as Chunks;
    await ended.catch((error: unknown) => {
      throw failure === undefined ? error : failure.error;
    });
  } finally {
    child.kill();
  }
}

/** Fulfilled when the program has done its work. */
function outcome(child: ChildProcessWithoutNullStreams, program: string): Promise<void> {
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
