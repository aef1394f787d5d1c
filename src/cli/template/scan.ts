// From a template's text to literal text and the words of its actions.

import { TemplateError } from './syntax.js';

export interface Token {
  readonly kind: 'string' | 'number' | 'variable' | 'field' | 'dot' | 'word' | 'sign';
  readonly text: string;
  /** Whether it follows the one before without a space: `.A.B`, `(x).B`. */
  readonly joined: boolean;
}

export type Piece =
  { readonly kind: 'text'; readonly text: string } | { readonly kind: 'action'; readonly tokens: readonly Token[] };

const TOKENS: readonly (readonly [Token['kind'], RegExp])[] = [
  ['string', /"(?:[^"\\\n]|\\.)*"|`[^`]*`|'(?:[^'\\\n]|\\.)+'/y],
  ['number', /[+-]?(?:0x[0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/y],
  ['variable', /\$[\p{L}\p{N}_]*/uy],
  ['field', /\.[\p{L}_][\p{L}\p{N}_]*/uy],
  ['dot', /\./y],
  ['word', /[\p{L}_][\p{L}\p{N}_]*/uy],
  ['sign', /:=|[=|(),]/y],
];

const OPEN = '{{';
const CLOSE = '}}';
const COMMENT = /\{\{(-\s)?\/\*[^]*?\*\/(\s-)?\}\}/y;
const SPACE = /\s*/y;
const TRIMMING_CLOSE = /\s-\}\}/y;

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/** docker reads `\t` and `\n` in a format, since shells do not. */
const ESCAPES: Readonly<Record<string, string>> = { '\\t': '\t', '\\n': '\n', '\\\\': '\\' };
const unescape = (text: string): string => text.replace(/\\[tn\\]/g, (escape) => ESCAPES[escape] ?? escape);

interface Action {
  readonly tokens: Token[];
  /** Where the text after it starts. */
  readonly end: number;
  readonly trims: boolean;
}

function scanAction(text: string, start: number): Action {
  const tokens: Token[] = [];
  for (let at = start; ;) {
    const trimming = matchAt(TRIMMING_CLOSE, text, at);
    if (trimming !== null) return { tokens, end: at + trimming[0].length, trims: true };
    const space = matchAt(SPACE, text, at)?.[0].length ?? 0;
    at += space;
    if (text.startsWith(CLOSE, at)) return { tokens, end: at + CLOSE.length, trims: false };
    if (at >= text.length) throw new TemplateError("a '{{' is not closed");
    let found: Token | undefined;
    for (const [kind, pattern] of TOKENS) {
      const match = matchAt(pattern, text, at);
      if (match === null) continue;
      found = { kind, text: match[0], joined: space === 0 && tokens.length > 0 };
      break;
    }
    if (found === undefined) throw new TemplateError(`'${text.slice(at, at + 20)}' is not understood`);
    tokens.push(found);
    at += found.text.length;
  }
}

/** Throws `TemplateError` for an action that is not closed, or has a word that none is. */
export function scanTemplate(template: string): Piece[] {
  const pieces: Piece[] = [];
  let trims = false;
  const addText = (text: string, trimEnd: boolean): void => {
    const left = trims ? text.trimStart() : text;
    const kept = trimEnd ? left.trimEnd() : left;
    if (kept !== '') pieces.push({ kind: 'text', text: unescape(kept) });
  };
  for (let at = 0; ;) {
    const open = template.indexOf(OPEN, at);
    if (open < 0) {
      addText(template.slice(at), false);
      return pieces;
    }
    const comment = matchAt(COMMENT, template, open);
    const trimsLeft = comment === null ? /^\{\{-\s/.test(template.slice(open, open + 4)) : comment[1] !== undefined;
    addText(template.slice(at, open), trimsLeft);
    if (comment !== null) {
      trims = comment[2] !== undefined;
      at = open + comment[0].length;
      continue;
    }
    const action = scanAction(template, open + OPEN.length + (trimsLeft ? 1 : 0));
    pieces.push({ kind: 'action', tokens: action.tokens });
    trims = action.trims;
    at = action.end;
  }
}
