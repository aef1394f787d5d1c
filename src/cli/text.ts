// Text that others chose, on a terminal: without what would steer it, and as wide as it is shown.

import { displayText } from '../core/index.js';

/** The text with everything that would steer a terminal written out (`\x1b`). */
export const cleanText = displayText;

/** The same for text of several lines and columns: line feeds and tabs stay. */
export function cleanLines(text: string): string {
  return text.replace(/[^\n\t]+/g, displayText);
}

/** JSON with the same characters escaped inside its strings: equal as JSON, harmless on a terminal. */
export function cleanJson(json: string): string {
  const escaped = (char: string): string =>
    [...Array(char.length).keys()].map((at) => `\\u${char.charCodeAt(at).toString(16).padStart(4, '0')}`).join('');
  return json.replace(/[^\n\x20-\x7e]/gu, (char) => (displayText(char) === char ? char : escaped(char)));
}

/** Takes no column: combining marks and what joins or selects forms. */
const NO_WIDTH = /^[\p{M}\p{Cf}]$/u;
/** Takes two columns: East Asian Wide and Fullwidth (Unicode, EastAsianWidth.txt), and emoji. */
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}\p{Emoji_Presentation}]$/u;

function charWidth(char: string): number {
  if (NO_WIDTH.test(char)) return 0;
  return WIDE.test(char) ? 2 : 1;
}

/** Columns that a line of text takes on a terminal. */
export function textWidth(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const char of text) width += charWidth(char);
  return width;
}

/** Filled up with spaces to a number of columns. */
export function padText(text: string, width: number): string {
  return text + ' '.repeat(Math.max(width - textWidth(text), 0));
}

/** At most that many columns: what is cut off ends in `…`. */
export function fitText(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let taken = 0;
  let kept = '';
  for (const char of text) {
    taken += charWidth(char);
    if (taken > width - 1) break;
    kept += char;
  }
  return width < 1 ? '' : `${kept}\u2026`;
}

/** docker's width of CREATED BY. */
const COMMAND_WIDTH = 45;

/** A command as one short line. */
export function shortenCommand(text: string): string {
  return fitText(text.replace(/\s+/g, ' ').trim(), COMMAND_WIDTH);
}
