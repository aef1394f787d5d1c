// Programs of the system, by name.

import { accessSync, constants, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';

/** Where distributions put them, whatever PATH says: that of a plain user may lack sbin, that of a service may be empty. */
const PLACES = ['/usr/local/bin', '/usr/bin', '/bin', '/usr/local/sbin', '/usr/sbin', '/sbin'];

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** The path of a program, in PATH first; also of one in directories of its own. */
export function findProgram(name: string, others: readonly string[] = []): string | undefined {
  if (name.includes('/')) return isAbsolute(name) && isProgram(name) ? name : undefined;
  const path = (process.env['PATH'] ?? '').split(':').filter((directory) => isAbsolute(directory));
  return [...path, ...PLACES, ...others].map((directory) => join(directory, name)).find(isProgram);
}
