// From what was thrown to one line on stderr and an exit code.

import type { CommanderError } from 'commander';
import { hasCode, messageOf, SysError, VeneerError } from '../core/index.js';
import { Interrupted } from './interruption.js';
import { cleanText } from './text.js';

/** Exit codes: 0 done, 1 failed, 2 the command line is wrong. */
export const EXIT_FAILURE = 1;
export const EXIT_USAGE = 2;

/** The message in one line, which holds the names others chose: they must not steer the terminal. */
function describe(error: unknown): string {
  return cleanText(messageOf(error).replace(/\s*\n\s*/g, ' '));
}

function hintOf(error: unknown): string | undefined {
  if (error instanceof VeneerError) return error.hint;
  if (error instanceof SysError || hasCode(error, 'SQLITE_FULL')) return undefined;
  if (error instanceof Error && 'syscall' in error) return undefined;
  return 'this is a bug in veneer; run it again with --debug to see where';
}

function print(line: string, hint: string | undefined): void {
  process.stderr.write(`veneer: ${line}\n${hint === undefined ? '' : `  hint: ${hint}\n`}`);
}

/** By shape: an overlay mount reports failures without loading commander. */
function isCommanderError(error: unknown): error is CommanderError {
  return (
    error instanceof Error && 'exitCode' in error && 'code' in error && String(error.code).startsWith('commander.')
  );
}

/** A wrong command line, as commander words it, with the help that applies. */
function reportUsage(error: CommanderError, usage: string): number {
  if (error.exitCode === 0 || error.code === 'commander.help') return 0;
  const [first = '', ...rest] = error.message.replace(/^error: /, '').split('\n');
  const suggestion = /Did you mean (?:one of )?(.*?)\?/.exec(rest.join(' '))?.[1];
  print(
    first.replace(/\.$/, ''),
    suggestion === undefined ? `see '${usage} --help'` : `did you mean ${suggestion}? See '${usage} --help'`,
  );
  return EXIT_USAGE;
}

export interface ReportOptions {
  /** The command as typed, for "see ... --help". */
  readonly usage: string;
  /** Shows the stack, and those of the causes. */
  readonly debug: boolean;
}

/** Prints what failed and returns the exit code. */
export function report(error: unknown, { usage, debug }: ReportOptions): number {
  if (isCommanderError(error)) return reportUsage(error, usage);
  // A reader that has gone away: see `leaveQuietlyOnBrokenPipe`.
  if (hasCode(error, 'EPIPE')) return 0;
  if (error instanceof Interrupted) {
    print(describe(error), undefined);
    return error.exitCode;
  }
  const isUsage = error instanceof VeneerError && error.code === 'usage';
  print(describe(error), hintOf(error) ?? (isUsage ? `see '${usage} --help'` : undefined));
  if (debug) {
    for (let at: unknown = error; at instanceof Error; at = at.cause)
      process.stderr.write(`${at.stack ?? at.message}\n`);
  }
  return isUsage ? EXIT_USAGE : EXIT_FAILURE;
}
