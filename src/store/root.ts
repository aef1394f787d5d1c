// Where the store is when nobody says so.

import { accessSync, constants, existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { VeneerError } from '../core/index.js';

const SYSTEM = '/var/lib/veneer';

/** Root of a user namespace may not be the root of the files there. */
function mayUseSystem(): boolean {
  try {
    accessSync(existsSync(SYSTEM) ? SYSTEM : dirname(SYSTEM), constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * The store's directory: `VENEER_ROOT`; for root, where it may write there, /var/lib/veneer; otherwise
 * `$XDG_DATA_HOME/veneer`, or `~/.local/share/veneer`. Throws `invalid` when an unprivileged user has no home.
 */
export function defaultRoot(
  env: Readonly<Record<string, string | undefined>>,
  uid: number,
  mayUse: () => boolean = mayUseSystem,
): string {
  if (env.VENEER_ROOT !== undefined && env.VENEER_ROOT !== '') return env.VENEER_ROOT;
  if (uid === 0 && mayUse()) return SYSTEM;
  // The XDG base directory specification: a relative path is to be ignored.
  const dataHome = env.XDG_DATA_HOME;
  if (dataHome?.startsWith('/') === true) return join(dataHome, 'veneer');
  if (env.HOME?.startsWith('/') === true) return join(env.HOME, '.local', 'share', 'veneer');
  throw new VeneerError('invalid', 'no directory for the store: HOME is not set', {
    hint: 'name one with --root or VENEER_ROOT',
  });
}
