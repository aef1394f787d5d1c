import { VeneerError } from '../core/index.js';

/** What leaves a terminal without ending what runs there: ^P^Q, as with docker. */
export const DEFAULT_DETACH_KEYS = 'ctrl-p,ctrl-q';

/** The bytes of a sequence as docker writes it: `ctrl-p,ctrl-q`, `ctrl-\`, `a,b`; none for ''. Throws `usage`. */
export function parseDetachKeys(text: string): readonly number[] {
  if (text === '') return [];
  return text.split(',').map((key) => {
    if (/^[\x21-\x7e]$/.test(key)) return key.charCodeAt(0);
    const [, control = ''] = /^ctrl-([a-zA-Z@[\\\]^_])$/.exec(key) ?? [];
    // A control character is its letter without the upper bits (ASCII).
    if (control !== '') return control.toUpperCase().charCodeAt(0) & 0x1f;
    throw new VeneerError('usage', `detach keys '${text}': '${key}' is no key`, {
      hint: "write letters, or ctrl- and a letter or one of @[\\]^_, separated by commas; '' for none",
    });
  });
}

/** Finds a sequence in what is typed. What may be its beginning is held back until the next key tells. */
export class DetachKeys {
  readonly #keys: readonly number[];
  #held = 0;

  constructor(keys: readonly number[]) {
    this.#keys = keys;
  }

  /** What of the bytes goes on, and whether the sequence is complete: what was typed after it is gone. */
  take(bytes: Uint8Array): { readonly passed: Uint8Array; readonly detached: boolean } {
    if (this.#keys.length === 0) return { passed: bytes, detached: false };
    const passed: number[] = [];
    for (const byte of bytes) {
      this.#held = this.#advance(byte, passed);
      if (this.#held === this.#keys.length) {
        this.#held = 0;
        return { passed: Uint8Array.from(passed), detached: true };
      }
    }
    return { passed: Uint8Array.from(passed), detached: false };
  }

  /** How much of the sequence is held with this byte; what can no longer be a part of it is passed. */
  #advance(byte: number, passed: number[]): number {
    const seen = [...this.#keys.slice(0, this.#held), byte];
    while (seen.length > 0 && seen.some((it, at) => it !== this.#keys[at])) passed.push(seen.shift() ?? 0);
    return seen.length;
  }
}
