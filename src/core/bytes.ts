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

/** For display: UTF-8 where it is valid, `\xNN` for each byte that is not, and for control characters. */
export function displayBytes(bytes: ByteString): string {
  if (/^[\x20-\x7e]*$/.test(bytes)) return bytes;
  const text = Buffer.from(bytes, 'latin1').toString('utf8');
  const faithful = Buffer.from(text, 'utf8').toString('latin1') === bytes;
  const escape = (char: string): string => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
  return faithful ? text.replace(/[\x00-\x1f\x7f]/g, escape) : bytes.replace(/[\x00-\x1f\x7f-\xff]/g, escape);
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
