// Where a user's things lie that must not outlive the session or the machine's run.

import { lstatSync, mkdirSync } from 'node:fs';
import path from 'node:path';

/** Somebody else may have made it, in a temporary directory above all, to have us write where they like. */
function belongsTo(directory: string, uid: number): boolean {
  try {
    const stat = lstatSync(directory);
    return stat.isDirectory() && stat.uid === uid;
  } catch {
    return false;
  }
}

/**
 * `XDG_RUNTIME_DIR`, else the one that a login makes (who comes by su or cron has no variable for it), else a directory of
 * our own in /tmp. Undefined where that cannot be had.
 */
export function userRuntimeDirectory(env: NodeJS.ProcessEnv, uid: number): string | undefined {
  const named = env['XDG_RUNTIME_DIR'];
  const candidates = [...(named?.startsWith('/') === true ? [named] : []), `/run/user/${String(uid)}`];
  const found = candidates.find((directory) => belongsTo(directory, uid));
  if (found !== undefined) return found;
  const own = path.join('/tmp', `veneer-${String(uid)}`);
  try {
    mkdirSync(own, { mode: 0o700 });
  } catch {
    // There already, or not to be had.
  }
  return belongsTo(own, uid) ? own : undefined;
}
