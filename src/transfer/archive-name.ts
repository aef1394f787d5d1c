// Archives spoken of as images, in the words of skopeo and podman: `oci:DIR:TAG`.

import { existsSync } from 'node:fs';
import { VeneerError } from '../core/index.js';

export interface ArchiveName {
  readonly transport: 'oci' | 'oci-archive' | 'docker-archive';
  readonly path: string;
  /** Which image of it. */
  readonly reference?: string;
}

/**
 * Reads `oci:DIR[:REF]`, `oci-archive:FILE[:REF]` and `docker-archive:FILE[:REF]`; undefined for anything else. What follows the path's
 * first colon is the reference, but where the path with all its colons exists. Throws `invalid` where the path is missing.
 */
export function parseArchiveName(text: string): ArchiveName | undefined {
  const match = /^(oci|oci-archive|docker-archive):([^]*)$/.exec(text);
  if (match === null) return undefined;
  const [, transport, rest] = match as unknown as [string, ArchiveName['transport'], string];
  const colon = existsSync(rest) ? -1 : rest.indexOf(':');
  const path = colon < 0 ? rest : rest.slice(0, colon);
  const reference = colon < 0 ? '' : rest.slice(colon + 1);
  if (path === '') {
    throw new VeneerError('invalid', `'${text.slice(0, 300)}' names no file`, {
      hint: `write ${transport}:PATH[:TAG]`,
    });
  }
  return reference === '' ? { transport, path } : { transport, path, reference };
}
