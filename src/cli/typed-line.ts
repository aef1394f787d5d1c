// A line as it is typed on a terminal in raw mode, which neither shows nor edits it.

import { VeneerError } from '../core/index.js';
import { Interrupted } from './interruption.js';
import { textWidth } from './text.js';

const CTRL_C = 0x03;
const CTRL_D = 0x04;
const ERASE = [0x08, 0x7f];
const KILL = [0x15, 0x17];
const ENTER = [0x0a, 0x0d];
/** More than any token has. */
const MAX_BYTES = 65_536;
const RUB_OUT = '\b \b';

export class TypedLine {
  #bytes: number[] = [];

  /**
   * Takes one byte. Returns what the terminal is to show for it, in bytes; undefined where the line ends. Throws `Interrupted` for ^C,
   * `usage` for ^D before anything else.
   */
  type(byte: number): Uint8Array | undefined {
    if (byte === CTRL_C) throw new Interrupted('SIGINT');
    if (ENTER.includes(byte)) return undefined;
    if (byte === CTRL_D) {
      if (this.#bytes.length === 0) throw new VeneerError('usage', 'nothing was typed');
      return undefined;
    }
    if (ERASE.includes(byte)) return Buffer.from(RUB_OUT.repeat(this.#cut(this.#lastCharacter())));
    if (KILL.includes(byte)) return Buffer.from(RUB_OUT.repeat(this.#cut(0)));
    if (this.#bytes.length === MAX_BYTES) throw new VeneerError('limit', 'what was typed is longer than 64 KiB');
    this.#bytes.push(byte);
    return byte < 0x20 ? Buffer.alloc(0) : Uint8Array.of(byte);
  }

  /** Without what arrow keys send, and other control characters. */
  text(): string {
    const text = Buffer.from(this.#bytes).toString('utf8');
    return text.replace(/\x1b[[O][0-9;]*[A-Za-z~]|[\x00-\x1f]/g, '');
  }

  /** In UTF-8, bytes 10xxxxxx go on with a character. */
  #lastCharacter(): number {
    let start = this.#bytes.length - 1;
    while (start > 0 && ((this.#bytes[start] ?? 0) & 0xc0) === 0x80) start -= 1;
    return Math.max(start, 0);
  }

  /** Returns how many columns have gone. */
  #cut(from: number): number {
    const gone = Buffer.from(this.#bytes.slice(from)).toString('utf8');
    this.#bytes = this.#bytes.slice(0, from);
    return textWidth(gone);
  }
}
