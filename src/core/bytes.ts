// Bytes as the kernel and tar archives mean them, and sizes as people read them.

/**
 * A name or path as the bytes it is made of, one char (0-255) per byte (latin1). The kernel and tar
 * attach no encoding to names, so they travel in this form and become text for display only.
 */
export type ByteString = string;

/** The bytes of a text (an argument, a JSON field) as UTF-8. */
export function toByteString(text: string): ByteString {
  return /^[\x00-\x7f]*$/.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

/**
 * What is not shown but acts on a terminal: C0 and C1 controls (U+009B alone starts an escape sequence), line and paragraph
 * separators, marks that turn the direction of writing, tags, lone surrogates. The joiners in emoji and scripts are text.
 */
const STEERING =
  /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

function escapeChar(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  if (code < 0x100) return `\\x${hex.padStart(2, '0')}`;
  return code < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\u{${hex}}`;
}

/** Text that others chose with everything that would steer a terminal written out (`\x1b`). */
export function displayText(text: string): string {
  return /^[\x20-\x7e]*$/.test(text) ? text : text.replace(STEERING, escapeChar);
}

/** For display: UTF-8 where it is valid, `\xNN` for each byte that is not; without what would steer a terminal. */
export function displayBytes(bytes: ByteString): string {
  if (/^[\x20-\x7e]*$/.test(bytes)) return bytes;
  const text = Buffer.from(bytes, 'latin1').toString('utf8');
  const faithful = Buffer.from(text, 'utf8').toString('latin1') === bytes;
  return faithful ? displayText(text) : bytes.replace(/[\x00-\x1f\x7f-\xff]/g, escapeChar);
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** A size in bytes as Docker prints it: decimal units, three significant digits (`4.86MB`, `124MB`). */
export function formatSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${String(Number(value.toPrecision(3)))}${UNITS[unit] ?? 'PB'}`;
}
