// CONTAINER@SNAPSHOT, as `diff` and the listing of images write states.

import { VeneerError } from '../core/index.js';

export interface SnapshotName {
  readonly container: string;
  readonly snapshot: string | undefined;
}

/** `given`: the snapshot, where it is named elsewhere. Throws `usage` where it is named twice. No container's name has an @. */
export function parseSnapshotName(text: string, given: string | undefined): SnapshotName {
  const at = text.indexOf('@');
  if (at < 0) return { container: text, snapshot: given };
  if (given !== undefined) throw new VeneerError('usage', `two snapshots are named: '${text}' and '${given}'`);
  return { container: text.slice(0, at), snapshot: text.slice(at + 1) };
}
