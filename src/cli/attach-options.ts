// The options of commands that attach: `run`, `start`, `attach`, `exec`.

import type { Command } from 'commander';
import { DEFAULT_DETACH_KEYS, parseDetachKeys } from '../runtime/index.js';

export interface AttachFlags {
  readonly detachKeys?: string;
  /** False with --sig-proxy=false. */
  readonly sigProxy?: boolean;
}

export interface AttachOptions {
  readonly detachKeys: readonly number[];
  readonly sigProxy: boolean;
}

export function addAttachOptions(command: Command, { sigProxy = true }: { sigProxy?: boolean } = {}): Command {
  command.option('--detach-keys <keys>', `what leaves it running: ${DEFAULT_DETACH_KEYS} by default, '' for nothing`);
  if (sigProxy) {
    command
      .option('--sig-proxy', 'pass signals on to it (the default)')
      .option('--no-sig-proxy', 'keep signals: they end veneer, not the container');
  }
  return command;
}

/** Throws `usage`. */
export function attachOptions({ detachKeys = DEFAULT_DETACH_KEYS, sigProxy = true }: AttachFlags): AttachOptions {
  return { detachKeys: parseDetachKeys(detachKeys), sigProxy };
}
