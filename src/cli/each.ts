import type { Command } from 'commander';
import { reportOptions } from './context.js';
import { report } from './failure.js';

/** Does the same for several objects, going on after a failure: each failure is one line, and the exit code is 1. */
export async function forEachName(
  command: Command,
  names: readonly string[],
  act: (name: string) => Promise<void> | void,
): Promise<void> {
  for (const name of names) {
    try {
      await act(name);
    } catch (error) {
      process.exitCode = report(error, reportOptions(command));
    }
  }
}
