import { hasCode, messageOf, VeneerError } from '../core/index.js';

/** Takes archives to standard output, as fast as it takes them. Throws `usage` for a terminal, in docker's words. */
export function standardOutput(command: string): (chunk: Uint8Array) => Promise<void> {
  if (process.stdout.isTTY) {
    throw new VeneerError('usage', `cowardly refusing to ${command} to a terminal`, {
      hint: 'use the -o flag or redirect',
    });
  }
  // What goes wrong is told to each write, so that what the command holds is given back before it ends.
  process.stdout.removeAllListeners('error').on('error', () => undefined);
  return (chunk) =>
    new Promise((resolve, reject) => {
      process.stdout.write(chunk, (error) => {
        if (!error) resolve();
        else reject(hasCode(error, 'EPIPE') ? error : unwritable(error));
      });
    });
}

/** Without its cause: a device that is full is not the store's. */
function unwritable(error: Error): VeneerError {
  return new VeneerError('unavailable', `cannot write to standard output: ${messageOf(error)}`);
}
