// Programs on a terminal, with somebody who types.

import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { CLI } from './run-cli.js';

/** What to do when the terminal has shown a text. */
export type TerminalStep = { readonly wait: string } & ({ readonly type: string } | { readonly signal: number });

export interface TerminalResult {
  /** All that the terminal showed, what was typed included where it shows that. */
  readonly output: string;
  readonly code: number;
  /** Whether it still shows what is typed. */
  readonly echo: boolean;
}

export interface TerminalOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Where standard input comes from; the terminal by default. */
  readonly stdin?: 'terminal' | 'null';
}

/** Runs `veneer` on a terminal to its end. */
export function typeTo(
  args: readonly string[],
  steps: readonly TerminalStep[],
  { env, stdin = 'terminal' }: TerminalOptions = {},
): TerminalResult {
  const child = spawnSync('python3', [path.join(import.meta.dirname, 'terminal-process.py')], {
    encoding: 'utf8',
    timeout: 60_000,
    input: JSON.stringify({ argv: [process.execPath, CLI, ...args], steps, stdin }),
    env: { ...process.env, ...env },
  });
  if (child.status !== 0) throw new Error(`the terminal of a test failed: ${child.stderr}`);
  return JSON.parse(child.stdout) as TerminalResult;
}
