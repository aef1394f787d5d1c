// Content digests as the OCI image spec writes them (descriptor.md, "Digests").

import { createHash } from 'node:crypto';
import { VeneerError } from './errors.js';

/** `sha256:` and 64 lower-case hex digits. */
export type Digest = string & { readonly __brand: 'Digest' };

const PATTERN = /^sha256:[0-9a-f]{64}$/;

/** Parses a digest. Throws `invalid` for anything but sha256 in its canonical form. */
export function parseDigest(text: string): Digest {
  if (!PATTERN.test(text)) {
    throw new VeneerError('invalid', `'${text.slice(0, 100)}' is not a sha256 digest`, {
      hint: 'a digest is "sha256:" followed by 64 lower-case hex digits',
    });
  }
  return text as Digest;
}

export function isDigest(text: string): text is Digest {
  return PATTERN.test(text);
}

/** The digest of bytes, or of a text's UTF-8 bytes. */
export function digestOf(content: Uint8Array | string): Digest {
  return `sha256:${createHash('sha256').update(content).digest('hex')}` as Digest;
}

/** The hex part of a digest. */
export function digestHex(digest: Digest): string {
  return digest.slice('sha256:'.length);
}

/** The first 12 hex digits: how people refer to images and containers. */
export function shortDigest(digest: Digest): string {
  return digestHex(digest).slice(0, 12);
}

/** Hashes a stream of chunks; `digest()` may be called once, after the last `update`. */
export class Digester {
  readonly #hash = createHash('sha256');
  #size = 0;

  update(chunk: Uint8Array): void {
    this.#hash.update(chunk);
    this.#size += chunk.length;
  }

  /** Bytes seen so far. */
  get size(): number {
    return this.#size;
  }

  digest(): Digest {
    return `sha256:${this.#hash.digest('hex')}` as Digest;
  }
}
