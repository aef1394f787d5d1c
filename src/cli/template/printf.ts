// printf of templates: the verbs of Go's fmt that make sense for texts, numbers and truths.

import { show } from './values.js';

const VERB = /%([-+ 0#]*)(\d{1,3})?(?:\.(\d{1,2}))?([a-zA-Z%])/g;

function digits(value: unknown, radix: number): string | undefined {
  return typeof value === 'number' ? value.toString(radix) : undefined;
}

function convert(verb: string, value: unknown, precision: number | undefined): string | undefined {
  const shown = show(value);
  switch (verb) {
    case 's':
    case 'v':
      return precision === undefined ? shown : Array.from(shown).slice(0, precision).join('');
    case 'q':
      return JSON.stringify(shown);
    case 'd':
      return typeof value === 'number' && Number.isInteger(value) ? String(value) : undefined;
    case 'x':
      return digits(value, 16) ?? Buffer.from(shown).toString('hex');
    case 'o':
      return digits(value, 8);
    case 'b':
      return digits(value, 2);
    case 'f':
      return typeof value === 'number' ? value.toFixed(precision ?? 6) : undefined;
    case 't':
      return typeof value === 'boolean' ? String(value) : undefined;
    default:
      return undefined;
  }
}

/** Formats values. What does not fit shows as Go shows it: `%!d(string=x)`, `%!s(MISSING)`, `%!(EXTRA x)`. */
export function printf(format: string, values: readonly unknown[]): string {
  let next = 0;
  const line = format.replace(
    VERB,
    (_all, flags: string, width: string | undefined, precision: string | undefined, verb: string) => {
      if (verb === '%') return '%';
      if (next >= values.length) return `%!${verb}(MISSING)`;
      const value = values[next++];
      const text = convert(verb, value, precision === undefined ? undefined : Number(precision));
      if (text === undefined) return `%!${verb}(${typeof value}=${show(value)})`;
      const columns = Number(width ?? '0');
      if (flags.includes('-')) return text.padEnd(columns);
      return text.padStart(columns, flags.includes('0') && typeof value === 'number' ? '0' : ' ');
    },
  );
  const extra = values.slice(next);
  return extra.length === 0
    ? line
    : `${line}%!(EXTRA ${extra.map((value) => `${typeof value}=${show(value)}`).join(', ')})`;
}
