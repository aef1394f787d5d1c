// Results that are bytes: names and contents of files, as they are for programs, harmless for a terminal.

import { once } from 'node:events';
import { displayBytes } from '../core/index.js';
import type { ByteString } from '../core/index.js';

/** Bytes gathered before a write: a listing may have a million lines. */
const CHUNK = 1 << 16;

/** Whether results go to people. */
export function isTerminal(): boolean {
  return process.stdout.isTTY;
}

/** A text as the bytes it is made of. */
export function textBytes(text: string): ByteString {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** A name or a line of a file, without newline: for a terminal, what would steer it is spelt out. */
export function shownBytes(bytes: ByteString): ByteString {
  if (!isTerminal()) return bytes;
  return bytes
    .split('\t')
    .map((part) => textBytes(displayBytes(part)))
    .join('\t');
}

/** Prints pieces as they come; waits for a reader that is slower. */
export async function printBytes(pieces: AsyncIterable<ByteString> | Iterable<ByteString>): Promise<void> {
  let pending: ByteString[] = [];
  let length = 0;
  const flush = async (): Promise<void> => {
    const flushed = process.stdout.write(Buffer.from(pending.join(''), 'latin1'));
    pending = [];
    length = 0;
    if (!flushed) await once(process.stdout, 'drain');
  };
  for await (const piece of pieces) {
    pending.push(piece);
    length += piece.length;
    if (length >= CHUNK) await flush();
  }
  if (length > 0) await flush();
}

const COLOURS = { bold: '1', red: '31', green: '32', yellow: '33', cyan: '36' } as const;

export type Colour = keyof typeof COLOURS;

/** Colours a text on a terminal, unless NO_COLOR is set (no-color.org). */
export function coloured(text: ByteString, colour: Colour | undefined): ByteString {
  const plain = colour === undefined || !isTerminal() || (process.env['NO_COLOR'] ?? '') !== '';
  return plain ? text : `\x1b[${COLOURS[colour]}m${text}\x1b[0m`;
}
