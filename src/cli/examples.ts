import type { Command } from 'commander';

/** Closes a command's help with examples: each a command line, and what it does. */
export function addExamples(command: Command, examples: readonly (readonly [line: string, meaning: string])[]): void {
  const width = Math.max(...examples.map(([line]) => line.length));
  const lines = examples.map(([line, meaning]) => `  $ ${line.padEnd(width)}   ${meaning}`.trimEnd());
  command.addHelpText('after', `\nExamples:\n${lines.join('\n')}`);
}
