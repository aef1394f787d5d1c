// Names of images in registries, as people have them at hand.

import { existsSync } from 'node:fs';
import { VeneerError } from '../core/index.js';
import { parseReference } from '../image/index.js';
import type { Reference } from '../image/index.js';

/** How podman and skopeo mark what is in a registry. */
const TRANSPORT = 'docker://';

export function withoutTransport(text: string): string {
  return text.startsWith(TRANSPORT) ? text.slice(TRANSPORT.length) : text;
}

/** Throws `invalid`, and `usage` for `oci:DIR` and its kin, which no registry has. */
export function remoteReference(text: string): Reference {
  const [, file = ''] = /^(?:oci|oci-archive|docker-archive):(.+?)(?::[^:/]*)?$/.exec(text) ?? [];
  if (file !== '' && (file.startsWith('/') || existsSync(file))) {
    throw new VeneerError('usage', `'${text.slice(0, 300)}' is an archive, which no registry has`, {
      hint: `veneer load -i ${text} takes it in`,
    });
  }
  return parseReference(withoutTransport(text));
}
