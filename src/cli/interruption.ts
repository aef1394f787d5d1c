// ^C and other requests to stop, for commands that put away what is half done.

import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The command was asked to stop, and has. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  /** As shells have it: 128 and the signal's number. */
  readonly exitCode: number;

  constructor(signal: (typeof SIGNALS)[number]) {
    super(`interrupted by ${signal}`);
    this.exitCode = 128 + constants.signals[signal];
  }
}

/**
 * Runs a long command with a signal that ^C, SIGTERM and SIGHUP abort, so that it can put away what is half done.
 * Throws `Interrupted` for whatever it threw then. A second request ends the program at once.
 */
export async function interruptible<Result>(act: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const controller = new AbortController();
  let interrupted: Interrupted | undefined;
  const handlers = SIGNALS.map((name) => {
    const handler = (): void => {
      if (interrupted !== undefined) process.exit(interrupted.exitCode);
      interrupted = new Interrupted(name);
      controller.abort(interrupted);
    };
    process.on(name, handler);
    return () => process.off(name, handler);
  });
  try {
    return await act(controller.signal);
  } catch (error) {
    throw interrupted ?? error;
  } finally {
    for (const remove of handlers) remove();
  }
}
