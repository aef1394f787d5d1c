// What every command has: the global options, and the store they point to.

import type { Command } from 'commander';
import type { HeadStart } from '../container/head-start.js';
import { VeneerError } from '../core/index.js';

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

export interface Globals {
  readonly root?: string;
  readonly logLevel?: string;
  readonly debug?: true;
}

/** The options every command takes, before or after its name. */
export function addGlobals(command: Command): Command {
  return command
    .option('--root <dir>', 'where images and containers are kept (VENEER_ROOT)')
    .option('--log-level <level>', `what the servers of mounts log: ${LOG_LEVELS.join(', ')}`)
    .option('--debug', 'show where an error comes from');
}

let begun: HeadStart | undefined;

/** What has been begun for the command of this process, which disposes of it. */
export function giveHeadStart(head: HeadStart | undefined): void {
  begun = head;
}

export function headStart(): HeadStart | undefined {
  return begun;
}

export function globalsOf(command: Command): Globals {
  return command.optsWithGlobals();
}

/** Hands the log level to this process and to the servers it starts. */
export function applyGlobals({ logLevel, root }: Globals): void {
  if (root === '') throw new VeneerError('usage', "--root is empty: name the store's directory");
  if (logLevel === undefined) return;
  if (!LOG_LEVELS.includes(logLevel)) {
    throw new VeneerError('usage', `unknown log level '${logLevel}'`, { hint: `one of ${LOG_LEVELS.join(', ')}` });
  }
  process.env['VENEER_LOG_LEVEL'] = logLevel;
}

/** The command as typed, and whether --debug was given: what an error report needs. */
export function reportOptions(command: Command): { usage: string; debug: boolean } {
  const names: string[] = [];
  for (let at: Command | null = command; at !== null; at = at.parent) names.unshift(at.name());
  return { usage: names.join(' '), debug: globalsOf(command).debug === true };
}
