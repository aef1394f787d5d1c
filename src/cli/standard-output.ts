import { VeneerError } from '../core/index.js';

/** Takes archives to standard output, as fast as it takes them. Throws `usage` for a terminal, in docker's words. */
export function standardOutput(command: string): (chunk: Uint8Array) => Promise<void> {
  if (process.stdout.isTTY) {
    throw new VeneerError('usage', `cowardly refusing to ${command} to a terminal`, {
      hint: 'use the -o flag or redirect',
    });
  }
  return (chunk) =>
    new Promise((resolve, reject) => {
      process.stdout.write(chunk, (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
}
