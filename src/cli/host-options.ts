// The values of options that tie a container to its host.

import { VeneerError } from '../core/index.js';
import type { DeviceMapping } from '../runtime/index.js';

/** NAME=VALUE words as an object. Throws `usage`. */
export function parseSettings(option: string, words: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    words.map((word) => {
      const equals = word.indexOf('=');
      if (equals > 0) return [word.slice(0, equals), word.slice(equals + 1)];
      throw new VeneerError('usage', `${option} '${word}': write NAME=VALUE`);
    }),
  );
}

/** HOST[:PATH][:rwm], in which the last one may also be the second. Throws `usage`. */
export function parseDevice(text: string): DeviceMapping {
  const parts = text.split(':');
  const [host = '', second = host] = parts;
  const isAccess = (word: string | undefined): boolean => word !== undefined && /^[rwm]{1,3}$/.test(word);
  const path = isAccess(second) ? host : second;
  const access = parts.length === 3 ? parts[2] : isAccess(second) ? second : 'rwm';
  if (parts.length <= 3 && host.startsWith('/') && path.startsWith('/') && access !== undefined && isAccess(access)) {
    return { PathOnHost: host, PathInContainer: path, CgroupPermissions: access };
  }
  throw new VeneerError('usage', `--device '${text}': write HOST[:PATH[:rwm]] with absolute paths`);
}
