// The syntax of single Dockerfile instructions: moby/buildkit, frontend/dockerfile/parser/line_parsers.go.

import { VeneerError } from '../core/index.js';

export interface Instruction {
  /** Upper case. */
  readonly keyword: string;
  readonly rest: string;
}

/** Splits a text into instructions: one per line, a backslash at the end of a line goes on with the next. */
export function splitInstructions(text: string): Instruction[] {
  const lines = text.replace(/\\[ \t]*\r?\n/g, '').split(/\r?\n/);
  return lines
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, keyword = '', rest = ''] = /^(\S+)\s*([^]*)$/.exec(line) ?? [];
      return { keyword: keyword.toUpperCase(), rest };
    });
}

/** The exec form, `["a", "b"]`; undefined where the text is none, which makes it a shell form. */
export function parseExecForm(rest: string): string[] | undefined {
  if (!rest.startsWith('[')) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(rest);
  } catch {
    return undefined; // SyntaxError: `[ -d /x ] && ls` is a command
  }
  if (!Array.isArray(value)) return undefined;
  if (!value.every((item): item is string => typeof item === 'string')) {
    throw new VeneerError('invalid', `only strings may stand in ${rest.slice(0, 100)}`);
  }
  return value;
}

/** Splits at blanks outside quotes; quotes and backslashes stay in the words for `expandWord`. */
export function splitRawWords(rest: string): string[] {
  const words: string[] = [];
  let word = '';
  let quote = '';
  for (let index = 0; index < rest.length; index += 1) {
    const char = rest.charAt(index);
    if (quote === '' && /\s/.test(char)) {
      if (word !== '') words.push(word);
      word = '';
      continue;
    }
    word += char;
    if (char === '\\' && quote !== "'") word += rest.charAt((index += 1));
    else if (quote === '' && (char === '"' || char === "'")) quote = char;
    else if (char === quote) quote = '';
  }
  if (word !== '') words.push(word);
  return words;
}

/** `K=V K2="V 2"`, or the old `K the rest`; keys and values are raw. Throws `invalid`. */
export function parseAssignments(keyword: string, rest: string): (readonly [string, string])[] {
  const words = splitRawWords(rest);
  const [first] = words;
  if (first === undefined) throw new VeneerError('invalid', `${keyword} needs at least one argument`);
  if (!first.includes('=')) {
    const [, key = '', value] = /^(\S+)\s+([^]+)$/.exec(rest) ?? [];
    if (value === undefined) {
      throw new VeneerError('invalid', `${keyword} ${rest} has no value`, { hint: `write ${keyword} NAME=VALUE` });
    }
    return [[key, value]];
  }
  return words.map((word) => {
    const equals = word.indexOf('=');
    if (equals <= 0) {
      throw new VeneerError('invalid', `'${word}' in ${keyword} is not NAME=VALUE`, {
        hint: 'a value with blanks needs quotes',
      });
    }
    return [word.slice(0, equals), word.slice(equals + 1)] as const;
  });
}

const UNITS: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

/** A duration as Go writes it (`1m30s`, `500ms`), in nanoseconds. Throws `invalid`. */
export function parseDuration(text: string): number {
  if (text === '0') return 0;
  const parts = [...text.matchAll(/([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text) {
    throw new VeneerError('invalid', `'${text}' is not a duration`, { hint: 'write it as 30s, 500ms or 1m30s' });
  }
  return parts.reduce((sum, [, count, unit]) => sum + Math.round(Number(count) * (UNITS[unit ?? ''] ?? 0)), 0);
}
