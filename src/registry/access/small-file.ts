// Files that others wrote: read whole, if they are files and of a size that people and tools write.

import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { hasCode, VeneerError } from '../../core/index.js';

const LIMIT = 4 << 20;

function readOpen(fd: number, file: string): string {
  const stat = fstatSync(fd);
  // Neither a device nor a pipe, which may never end.
  if (!stat.isFile()) throw new VeneerError('invalid', `'${file}' is not a file`);
  if (stat.size > LIMIT) throw new VeneerError('limit', `'${file}' is larger than 4 MiB`);
  return readFileSync(fd, 'utf8');
}

/** The text of a file; undefined where there is none. Throws `permission`, `invalid` and `limit`, naming it. */
export function readSmallFile(file: string): string | undefined {
  let fd: number;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    if (hasCode(cause, 'ENOENT') || hasCode(cause, 'ENOTDIR')) return undefined;
    if (!hasCode(cause, 'EACCES')) throw cause;
    throw new VeneerError('permission', `'${file}' cannot be read: permission denied`, { cause });
  }
  try {
    return readOpen(fd, file);
  } finally {
    closeSync(fd);
  }
}

/** Parses an object. Throws `invalid`, without the parser's words: they repeat what stands there. */
export function parseJsonFile(text: string, file: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text.trim() === '' ? '{}' : text.replace(/^\ufeff/, ''));
  } catch {
    throw new VeneerError('invalid', `malformed '${file}': not JSON`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new VeneerError('invalid', `malformed '${file}': it is not a JSON object`);
}
