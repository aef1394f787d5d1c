// Words of Dockerfile instructions, as moby/buildkit's `shell.Lex` reads them: quotes, backslash escapes and
// `$VAR`, `${VAR}`, `${VAR:-word}`, `${VAR:+word}`.

import { VeneerError } from '../core/index.js';

export type Lookup = (name: string) => string | undefined;

interface Expansion {
  /** The result as one word. */
  readonly word: string;
  /** The result split at blanks outside quotes; variables' values are split, too. */
  readonly words: readonly string[];
}

class WordReader {
  readonly #text: string;
  readonly #lookup: Lookup;
  #at = 0;
  readonly #words: string[] = [];
  #current: string | undefined;

  constructor(text: string, lookup: Lookup) {
    this.#text = text;
    this.#lookup = lookup;
  }

  #add(text: string): string {
    this.#current = (this.#current ?? '') + text;
    return text;
  }

  /** Adds text that splits words at its blanks. */
  #addSplitting(text: string): string {
    for (const part of text.split(/(\s+)/)) {
      if (/^\s+$/.test(part)) this.#endWord();
      else if (part !== '') this.#add(part);
    }
    return text;
  }

  #endWord(): void {
    if (this.#current !== undefined) this.#words.push(this.#current);
    this.#current = undefined;
  }

  #next(): string {
    const char = this.#text[this.#at] ?? '';
    this.#at += 1;
    return char;
  }

  read(): Expansion {
    const word = this.#readUntil(undefined);
    this.#endWord();
    return { word, words: this.#words };
  }

  /** Reads to the end, or past an unquoted `stop`. */
  #readUntil(stop: string | undefined): string {
    let word = '';
    while (this.#at < this.#text.length) {
      const char = this.#next();
      if (char === stop) return word;
      if (char === "'") word += this.#add(this.#singleQuoted());
      else if (char === '"') word += this.#add(this.#doubleQuoted());
      else if (char === '$') word += this.#addSplitting(this.#variable());
      else if (char === '\\') word += this.#add(this.#next());
      else word += this.#addSplitting(char);
    }
    if (stop !== undefined) throw this.#unterminated('${');
    return word;
  }

  #singleQuoted(): string {
    const end = this.#text.indexOf("'", this.#at);
    if (end < 0) throw this.#unterminated("'");
    const quoted = this.#text.slice(this.#at, end);
    this.#at = end + 1;
    return quoted;
  }

  #doubleQuoted(): string {
    let quoted = '';
    while (this.#at < this.#text.length) {
      const char = this.#next();
      if (char === '"') return quoted;
      if (char === '$') quoted += this.#variable();
      else if (char === '\\') quoted += this.#escapeInQuotes();
      else quoted += char;
    }
    throw this.#unterminated('"');
  }

  /** Inside double quotes a backslash escapes `"`, `$` and itself, and stays before anything else. */
  #escapeInQuotes(): string {
    const char = this.#next();
    return '"$\\'.includes(char) && char !== '' ? char : `\\${char}`;
  }

  /** Reads what follows a `$`. */
  #variable(): string {
    if (this.#text[this.#at] === '{') return this.#braced();
    const name = /^(?:[A-Za-z_][A-Za-z0-9_]*|[0-9@*#])/.exec(this.#text.slice(this.#at))?.[0];
    if (name === undefined) return '$';
    this.#at += name.length;
    return this.#lookup(name) ?? '';
  }

  #braced(): string {
    const form = /^\{([A-Za-z_][A-Za-z0-9_]*|[0-9@*#])(\}|:?[-+])/.exec(this.#text.slice(this.#at));
    const [whole, name, operator] = form ?? [];
    if (whole === undefined || name === undefined || operator === undefined) {
      throw new VeneerError('invalid', `unsupported substitution in '${this.#text}'`, {
        hint: 'use $NAME, ${NAME}, ${NAME:-default} or ${NAME:+alternative}',
      });
    }
    this.#at += whole.length;
    const value = this.#lookup(name);
    if (operator === '}') return value ?? '';
    const saved = [this.#current, this.#words.length] as const;
    const word = this.#readUntil('}');
    this.#current = saved[0];
    this.#words.length = saved[1];
    const isSet = operator.startsWith(':') ? value !== undefined && value !== '' : value !== undefined;
    if (operator.endsWith('-')) return isSet ? (value ?? '') : word;
    return isSet ? word : '';
  }

  #unterminated(what: string): VeneerError {
    return new VeneerError('invalid', `unterminated ${what} in '${this.#text}'`);
  }
}

/** Removes quotes and escapes and puts in variables. Throws `invalid` on an unfinished quote or brace. */
export function expandWord(text: string, lookup: Lookup): string {
  return new WordReader(text, lookup).read().word;
}

/** Like `expandWord`, and splits at blanks outside of quotes, also at those in variables' values. */
export function expandWords(text: string, lookup: Lookup): readonly string[] {
  return new WordReader(text, lookup).read().words;
}
