// Names as git writes them in patches (quote.c, quote_c_style with core.quotePath on), which git apply and patch(1) read back.

import type { ByteString } from '../core/index.js';

const SHORT: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '"': '\\"',
  '\\': '\\\\',
};

const ODD = /[\x00-\x1f"\\\x7f-\xff]/g;

/** As it is, or in double quotes with escapes where a byte would not stand in a line of plain text. */
export function quoteBytes(bytes: ByteString): ByteString {
  if (bytes.search(ODD) < 0) return bytes;
  const escape = (char: string): string => SHORT[char] ?? `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`;
  return `"${bytes.replace(ODD, escape)}"`;
}

/** For the lines `---` and `+++`, where a blank could end the name: a tab does so first. */
export function endBlankName(name: ByteString): ByteString {
  return name.includes(' ') && !name.startsWith('"') ? `${name}\t` : name;
}
