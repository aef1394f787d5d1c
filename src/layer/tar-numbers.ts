// Numbers in tar headers: octal text (POSIX.1-1988), and base-256 for what does not fit (GNU).
// A number that a double cannot hold exactly is refused, not rounded.

/** The value of a numeric field, or undefined for one that is malformed or not a safe integer. */
export function parseNumber(block: Buffer, offset: number, length: number): number | undefined {
  return ((block[offset] ?? 0) & 0x80) === 0 ? parseOctal(block, offset, length) : parseBase256(block, offset, length);
}

const SPACE = 0x20;
const ZERO = 0x30;
const SEVEN = 0x37;

/** Octal digits between optional blanks, ended by blanks and NULs. Old writers leave unused fields empty. */
function parseOctal(block: Buffer, offset: number, length: number): number | undefined {
  const isBlank = (byte: number | undefined): boolean => byte === 0 || byte === SPACE;
  const end = offset + length;
  let at = offset;
  while (at < end && isBlank(block[at])) at += 1;
  let value = 0;
  for (; at < end; at += 1) {
    const byte = block[at] ?? 0;
    if (byte < ZERO || byte > SEVEN) break;
    value = value * 8 + byte - ZERO;
  }
  while (at < end && isBlank(block[at])) at += 1;
  return at === end ? value : undefined;
}

/** Two's complement, big endian, with the first bit as the mark of the format. */
function parseBase256(block: Buffer, offset: number, length: number): number | undefined {
  const negative = ((block[offset] ?? 0) & 0x40) !== 0;
  let value = 0n;
  for (let index = 0; index < length; index += 1) {
    const byte = block[offset + index] ?? 0;
    value = (value << 8n) | BigInt(index === 0 ? byte & 0x7f : byte);
  }
  if (negative) value -= 1n << BigInt(8 * length - 1);
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : undefined;
}

/** Whether a value fits a field as octal digits and a NUL. */
export function fitsOctal(value: number, length: number): boolean {
  return value >= 0 && value < 8 ** (length - 1);
}

/** Octal digits, zero-padded, and a NUL. A value that does not fit becomes 0: a PAX record holds the true one. */
export function writeOctal(block: Buffer, offset: number, length: number, value: number): void {
  const digits = (fitsOctal(value, length) ? value : 0).toString(8).padStart(length - 1, '0');
  block.write(`${digits}\0`, offset, length, 'latin1');
}
