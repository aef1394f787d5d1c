// Questions before something is removed for good.

import { VeneerError } from '../core/index.js';

/**
 * Asks, as docker does, on stderr, and reads one line from standard input: `y` or `yes` is yes. Throws `usage` where
 * there is nobody to ask: standard input ended without a line.
 */
export async function confirm(question: string): Promise<boolean> {
  const { createInterface } = await import('node:readline');
  process.stderr.write(`${question} [y/N] `);
  const lines = createInterface({ input: process.stdin });
  try {
    for await (const line of lines) return /^\s*y(es)?\s*$/i.test(line);
  } finally {
    lines.close();
    process.stdin.pause();
  }
  process.stderr.write('\n');
  throw new VeneerError('usage', 'not confirmed: standard input has no answer', {
    hint: 'to remove without being asked, give --force',
  });
}

/** Asks unless --force was given; says so when nothing is removed. */
export async function isConfirmed(question: string, force: boolean): Promise<boolean> {
  if (force || (await confirm(question))) return true;
  process.stderr.write('Nothing was removed.\n');
  return false;
}
