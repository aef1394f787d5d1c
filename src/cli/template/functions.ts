// The functions of templates: those of Go's text/template, and docker's (docs.docker.com/engine/cli/formatting).

import { printf } from './printf.js';
import { TemplateError } from './syntax.js';
import { entriesOf, isTrue, member, show } from './values.js';

export type TemplateFunction = (...values: readonly unknown[]) => unknown;

function text(value: unknown, name: string): string {
  if (typeof value === 'string') return value;
  throw new TemplateError(`'${name}' needs a text, not ${value === undefined ? 'nothing' : show(value)}`);
}

function whole(value: unknown, name: string): number {
  if (typeof value === 'number' && Number.isInteger(value)) return value;
  throw new TemplateError(`'${name}' needs a whole number, not ${show(value)}`);
}

function lengthOf(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.length;
  const entries = entriesOf(value);
  if (entries === undefined) throw new TemplateError(`'len' of ${show(value)}: it has no length`);
  return entries.length;
}

function index(value: unknown, ...keys: readonly unknown[]): unknown {
  return keys.reduce((at, key) => {
    if (!Array.isArray(at)) return member(at, show(key));
    // A number in quotes is a number, too: shells make it hard to tell.
    const position = whole(typeof key === 'string' && /^\d+$/.test(key) ? Number(key) : key, 'index');
    if (position < 0 || position >= at.length) {
      throw new TemplateError(`'index': there is no ${String(position)} in a list of ${String(at.length)}`);
    }
    return at[position] as unknown;
  }, value);
}

function slice(value: unknown, start: unknown = 0, end?: unknown): unknown {
  const list = typeof value === 'string' ? Buffer.from(value) : value;
  if (!Array.isArray(list) && !Buffer.isBuffer(list)) throw new TemplateError(`'slice' of ${show(value)}`);
  const [from, to] = [whole(start, 'slice'), end === undefined ? list.length : whole(end, 'slice')];
  if (from < 0 || to > list.length || from > to) {
    throw new TemplateError(`'slice' from ${String(from)} to ${String(to)}: the length is ${String(list.length)}`);
  }
  return Buffer.isBuffer(list) ? list.subarray(from, to).toString() : list.slice(from, to);
}

/** -1, 0 or 1. Values of different kinds cannot be compared. */
function compare(a: unknown, b: unknown): number {
  if (a === b || ((a ?? null) === null && (b ?? null) === null)) return 0;
  if ((a ?? null) === null || (b ?? null) === null) return -1;
  if (typeof a !== typeof b || typeof a === 'object') {
    throw new TemplateError(`${show(a)} and ${show(b)} cannot be compared`);
  }
  return (a as string) < (b as string) ? -1 : 1;
}

const title = (value: string): string =>
  value.replace(
    /(^|[^\p{L}\p{N}_'])(\p{L})/gu,
    (_all, before: string, letter: string) => before + letter.toUpperCase(),
  );

/** Values beside each other, with spaces between those of which neither is a text, as fmt.Sprint. */
function sprint(values: readonly unknown[]): string {
  return values.reduce<string>((line, value, at) => {
    const isText = at === 0 || typeof value === 'string' || typeof values[at - 1] === 'string';
    return line + (isText ? '' : ' ') + show(value);
  }, '');
}

const HTML: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&#34;', "'": '&#39;' };

const truncate = (value: string, length: number): string => {
  const bytes = Buffer.from(value);
  return bytes.length < length ? value : bytes.subarray(0, length).toString();
};

export const FUNCTIONS: ReadonlyMap<string, TemplateFunction> = new Map<string, TemplateFunction>([
  ['json', (value) => JSON.stringify(value ?? null)],
  ['upper', (value) => text(value, 'upper').toUpperCase()],
  ['lower', (value) => text(value, 'lower').toLowerCase()],
  ['title', (value) => title(text(value, 'title'))],
  ['split', (value, separator) => text(value, 'split').split(text(separator, 'split'))],
  [
    'join',
    (list, separator = '') => {
      if (!Array.isArray(list)) throw new TemplateError(`'join' needs a list, not ${show(list)}`);
      return list.map(show).join(text(separator, 'join'));
    },
  ],
  [
    'pad',
    (value, before, after) => {
      const padded = text(value, 'pad');
      if (padded === '') return '';
      const spaces = (count: unknown): string => ' '.repeat(Math.min(Math.max(whole(count, 'pad'), 0), 1000));
      return spaces(before) + padded + spaces(after);
    },
  ],
  ['truncate', (value, length) => truncate(text(value, 'truncate'), Math.max(whole(length, 'truncate'), 0))],
  ['len', lengthOf],
  ['index', index],
  ['label', (labels, key) => member(labels, show(key)) ?? ''],
  ['slice', slice],
  ['print', (...values) => sprint(values)],
  ['println', (...values) => `${values.map(show).join(' ')}\n`],
  ['printf', (format, ...values) => printf(text(format, 'printf'), values)],
  ['html', (...values) => sprint(values).replace(/[&<>"']/g, (char) => HTML[char] ?? char)],
  ['js', (...values) => JSON.stringify(sprint(values)).slice(1, -1)],
  ['urlquery', (...values) => encodeURIComponent(sprint(values)).replaceAll('%20', '+')],
  ['not', (value) => !isTrue(value)],
  ['eq', (first, ...others) => others.some((other) => compare(first, other) === 0)],
  ['ne', (a, b) => compare(a, b) !== 0],
  ['lt', (a, b) => compare(a, b) < 0],
  ['le', (a, b) => compare(a, b) <= 0],
  ['gt', (a, b) => compare(a, b) > 0],
  ['ge', (a, b) => compare(a, b) >= 0],
]);

/** For headings: what changes a text leaves it, as docker's HeaderFunctions do. */
export const HEADING_FUNCTIONS: ReadonlyMap<string, TemplateFunction> = new Map([
  ...FUNCTIONS,
  ['label', (_labels, key) => show(key)],
  ...['json', 'split', 'join', 'title', 'lower', 'upper', 'truncate'].map((name): [string, TemplateFunction] => [
    name,
    (value) => value,
  ]),
]);

/** How many values each takes: [least, most]; most is endless where it is not given. */
export const ARITY: ReadonlyMap<string, readonly [least: number, most?: number]> = new Map([
  ['json', [1, 1]],
  ['upper', [1, 1]],
  ['lower', [1, 1]],
  ['title', [1, 1]],
  ['split', [2, 2]],
  ['join', [1, 2]],
  ['pad', [3, 3]],
  ['truncate', [2, 2]],
  ['len', [1, 1]],
  ['index', [1]],
  ['label', [2, 2]],
  ['slice', [1, 3]],
  ['printf', [1]],
  ['not', [1, 1]],
  ['eq', [2]],
  ['ne', [2, 2]],
  ['lt', [2, 2]],
  ['le', [2, 2]],
  ['gt', [2, 2]],
  ['ge', [2, 2]],
  ['and', [1]],
  ['or', [1]],
]);
