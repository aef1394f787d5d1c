// What conmon runs when a container has ended: a veneer that cleans up.

import { fileURLToPath } from 'node:url';
import { identityOf } from '../sys/index.js';

/** In one piece (scripts/bundle.mjs), whoever starts the container. */
export const PROGRAM = fileURLToPath(new URL('../program/veneer.cjs', import.meta.url));

/**
 * Ends at once while the process of a number and a start time is there, and not only as a zombie whose parent is slow to ask for it, unless it
 * has left word that it does not stay. Built-in words only, so that it costs next to nothing.
 */
const UNLESS_ALIVE =
  '[ -e "$3" ] || { read -r it 2>/dev/null </proc/$1/stat && case $it in *") Z "*);; *" $2 "*) exit;; esac; }; shift 3; exec "$@"';

/** `unlessAlive`: nothing is to be done while this process is there, which cleans up itself, until it makes the file of this name. */
export function exitCommand(
  root: string,
  id: string,
  { unlessAlive }: { readonly unlessAlive?: string },
): [string, ...string[]] {
  const cleanUp: [string, ...string[]] = [process.execPath, PROGRAM, '--root', root, 'container', 'cleanup', id];
  const self = unlessAlive === undefined ? undefined : identityOf(process.pid);
  if (unlessAlive === undefined || self === undefined) return cleanUp;
  return ['/bin/sh', '-c', UNLESS_ALIVE, 'veneer', String(self.pid), String(self.start), unlessAlive, ...cleanUp];
}
