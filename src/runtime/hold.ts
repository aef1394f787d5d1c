// Holding the processes of a container for a moment, whatever becomes of who holds them.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { VeneerError } from '../core/index.js';
import { programEnvironment } from './conmon.js';

/** Lets go when its standard input ends: when it is told to, or when who began this is gone, be it before we can say that we hold. */
const SCRIPT = '"$@" pause "$0" || exit; trap "" PIPE; echo; trap - PIPE; read -r _; exec "$@" resume "$0"';

/**
 * Holds a container until the returned function is called, or this process ends, be it by SIGKILL. `runtime`: a command line that is
 * followed by what is to be done. Throws `not-found` where nothing can be held.
 */
export async function hold(runtime: readonly string[], id: string): Promise<() => Promise<void>> {
  // A session of its own: no key of the terminal's ends it.
  const holder = spawn('/bin/sh', ['-c', SCRIPT, id, ...runtime], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: programEnvironment(),
    detached: true,
  });
  holder.stdin.on('error', () => undefined);
  const ended = once(holder, 'close');
  ended.catch(() => undefined);
  const isHeld = await Promise.race([once(holder.stdout, 'data').then(() => true), ended.then(() => false)]);
  if (!isHeld) throw new VeneerError('not-found', `container ${id.slice(0, 12)} cannot be held`);
  return async () => {
    holder.stdin.end();
    await ended;
  };
}
