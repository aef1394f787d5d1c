// Names between bytes and the texts of `fuse-native`. Its binding decodes what comes from the kernel as UTF-8, and writes
// U+FFFD for what is none: two names could become one. So no name with that character goes either way.

import { toByteString } from '../core/index.js';
import type { ByteString } from '../core/index.js';

const REPLACEMENT = '�';

/** The bytes of a text; undefined for one that stands for others, too. */
export function bytesOf(text: string): ByteString | undefined {
  return text.includes(REPLACEMENT) ? undefined : toByteString(text);
}

/** The text of bytes; undefined where they are no UTF-8. */
export function textOf(bytes: ByteString): string | undefined {
  if (/^[\x00-\x7f]*$/.test(bytes)) return bytes;
  const text = Buffer.from(bytes, 'latin1').toString('utf8');
  return text.includes(REPLACEMENT) ? undefined : text;
}
