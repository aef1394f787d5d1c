// The part of Go's text/template that people use with docker's --format: fields, and a few functions of one value.

import { VeneerError } from '../core/index.js';

type Render = (data: unknown) => string;

function invalid(template: string, why: string): VeneerError {
  return new VeneerError('usage', `--format '${template}': ${why}`, {
    hint: 'write fields as {{.Name}}, and functions as {{json .Name}}, {{upper .Name}}, {{join .Name ","}}; \'json\' alone prints JSON',
  });
}

/** A value as Go's fmt prints it: lists as `[a b]`, maps as `map[k:v]`. */
function show(value: unknown): string {
  if (value === undefined || value === null) return '<no value>';
  if (Array.isArray(value)) return `[${value.map(show).join(' ')}]`;
  if (typeof value === 'object') {
    const entries = Object.entries(value).map(([key, of]) => `${key}:${show(of)}`);
    return `map[${entries.join(' ')}]`;
  }
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function lengthOf(value: unknown): string {
  if (Array.isArray(value) || typeof value === 'string') return String(value.length);
  return String(typeof value === 'object' && value !== null ? Object.keys(value).length : 0);
}

const FUNCTIONS: Readonly<Record<string, (value: unknown, argument: unknown) => string>> = {
  json: (value) => JSON.stringify(value ?? null),
  upper: (value) => show(value).toUpperCase(),
  lower: (value) => show(value).toLowerCase(),
  len: lengthOf,
  println: (value) => `${show(value)}\n`,
  join: (value, separator) => (Array.isArray(value) ? value.map(show).join(show(separator)) : show(value)),
  index: (value, key) => show(member(value, key)),
};

function member(value: unknown, key: unknown): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.entries(value).find(([name]) => name === String(key))?.[1];
}

/** `.A.B` in the data. The first name must be there, so that a misspelt one is not an empty column. */
function field(template: string, path: string, data: unknown): unknown {
  const names = path.split('.').filter((name) => name !== '');
  if (names[0] !== undefined && (typeof data !== 'object' || data === null || !(names[0] in data))) {
    const known = typeof data === 'object' && data !== null ? Object.keys(data).join(', ') : '';
    throw invalid(template, `there is no field '${names[0]}' (there is ${known})`);
  }
  return names.reduce(member, data);
}

const WORD = /"(?:[^"\\]|\\.)*"|\S+/g;

function parseAction(template: string, text: string): Render {
  const words = text.match(WORD) ?? [];
  const value = (word: string | undefined, data: unknown): unknown => {
    if (word === undefined) return undefined;
    if (word.startsWith('"')) {
      try {
        return JSON.parse(word);
      } catch {
        throw invalid(template, `${word} is not a string`); // JSON's SyntaxError
      }
    }
    if (/^\d+$/.test(word)) return word;
    if (!word.startsWith('.')) throw invalid(template, `'${word}' is not a field`);
    return field(template, word, data);
  };
  const [head = '', first, second] = words;
  if (words.length === 1 && head.startsWith('.')) return (data) => show(value(head, data));
  const apply = Object.entries(FUNCTIONS).find(([name]) => name === head)?.[1];
  if (apply === undefined) throw invalid(template, `'${head}' is not a function known here`);
  if (first === undefined) throw invalid(template, `'${head}' needs a field`);
  return (data) => apply(value(first, data), value(second, data));
}

const ESCAPES: Readonly<Record<string, string>> = { '\\t': '\t', '\\n': '\n', '\\\\': '\\' };

/** Compiles a template. Throws `usage` for what it does not understand. */
export function compileTemplate(template: string): Render {
  const parts = template.split(/(\{\{.*?\}\})/s).map((part): Render => {
    const action = /^\{\{-?(.*?)-?\}\}$/s.exec(part)?.[1];
    if (action !== undefined) return parseAction(template, action.trim());
    if (part.includes('{{')) throw invalid(template, "a '{{' is not closed");
    const literal = part.replace(/\\[tn\\]/g, (escape) => ESCAPES[escape] ?? escape);
    return () => literal;
  });
  return (data) => parts.map((render) => render(data)).join('');
}
