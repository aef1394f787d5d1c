// Asking a server to freeze its upper.

import { toByteString, VeneerError } from '../core/index.js';
import { openDoor } from './door-client.js';
import type { CommandAnswer, ServerCommand } from './statistics-door.js';

export interface FreezeOptions {
  /** Where the upper directory goes: an absolute path on the same file system, at which nothing is. */
  readonly frozen: string;
}

/**
 * Makes the upper directory of a mount a directory of its own, that nobody writes to any more, while the mount goes on with an empty upper
 * on top of it: users notice nothing. No request is handled meanwhile. It takes time for the files that are open for writing, of
 * which it gets copies (shared blocks where the file system can), and for nothing else. Its next mount is to have `frozen` as its top
 * lower directory. What programs have written but the kernel has not passed on is not in it: sync the mount before. Nothing is
 * made durable. Throws `unavailable`: where no server can be asked, or for the reason it gives, and nothing has changed then.
 */
export async function freezeOverlay(mountpoint: string, { frozen }: FreezeOptions): Promise<void> {
  using door = await openDoor(mountpoint);
  const command: ServerCommand = { freeze: toByteString(frozen) };
  const answer = await door.ask(JSON.stringify(command));
  if (answer === undefined) {
    throw new VeneerError('unavailable', `the server of '${mountpoint}' ended before it answered`);
  }
  const result = answer as CommandAnswer;
  if ('done' in result) return;
  const { code, message, hint } = result.failure;
  throw new VeneerError(code, message, hint === undefined ? {} : { hint });
}
