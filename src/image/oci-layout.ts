// OCI image layouts: OCI image spec, image-layout.md. A directory, or the same in a tar.

import { VeneerError } from '../core/index.js';
import { asString, at, parseDocument, readFields, required } from './json.js';

export const LAYOUT_FILE = 'oci-layout';
export const INDEX_FILE = 'index.json';

const VERSION = '1.0.0';

/** The marker file of a layout. */
export function encodeLayout(): Buffer {
  return Buffer.from(JSON.stringify({ imageLayoutVersion: VERSION }), 'utf8');
}

/** Checks the marker file. Throws `invalid`, and `unsupported` for a layout of another major version. */
export function checkLayout(bytes: Uint8Array): void {
  const place = { document: 'oci-layout', path: '' };
  const read = readFields<{ imageLayoutVersion: string }>(parseDocument(bytes, place.document), place, {
    imageLayoutVersion: asString,
  });
  const version = required(read.imageLayoutVersion, at(place, 'imageLayoutVersion'));
  if (!/^1(\.|$)/.test(version)) {
    throw new VeneerError('unsupported', `the OCI layout has version ${version.slice(0, 40)}, not 1`);
  }
}
