// One line of progress as text, in the width there is.

import { formatSize } from '../core/index.js';
import { fitText, textWidth } from './text.js';

/** Where one thing stands. */
export interface Standing {
  /** What it is done to; may be empty. */
  readonly name: string;
  readonly action: string;
  /** Bytes. */
  readonly done: number;
  readonly total: number | undefined;
}

/** docker's width of a bar, and the least that still says something. */
const WIDEST = 50;
const NARROWEST = 10;

const head = ({ name, action }: Standing): string => (name === '' ? action : `${name}: ${action}`);

function bar(part: number, width: number): string {
  const filled = Math.min(Math.floor(part * width), width);
  const tip = filled < width ? '>' : '';
  return `[${'='.repeat(filled)}${tip}${' '.repeat(width - filled - tip.length)}]`;
}

/** `8s`, `3m20s`, `2h05m`; nothing to speak of beyond four days. */
export function shortDuration(seconds: number): string {
  const whole = Math.ceil(seconds);
  const two = (value: number): string => String(value).padStart(2, '0');
  if (whole < 60) return `${String(whole)}s`;
  if (whole < 3600) return `${String(Math.floor(whole / 60))}m${two(whole % 60)}s`;
  const hours = Math.floor(whole / 3600);
  return hours < 100 ? `${String(hours)}h${two(Math.floor((whole % 3600) / 60))}m` : '';
}

/** What is said after the bar, the most important first: sizes, rate, time left. */
function figures({ done, total }: Standing, rate: number | undefined): string[] {
  if (total === undefined && done === 0) return [];
  const sizes = total === undefined ? formatSize(done) : `${formatSize(done)}/${formatSize(total)}`;
  const left = total === undefined || rate === undefined || rate <= 0 || total <= done ? '' : (total - done) / rate;
  const eta = left === '' ? '' : shortDuration(left);
  return [sizes, ...(rate === undefined ? [] : [`${formatSize(rate)}/s`]), ...(eta === '' ? [] : [`ETA ${eta}`])];
}

/** For a terminal: `a3ed95caeb02: Unpacking [==>   ]  12.3MB/45.6MB  31MB/s  ETA 2s`; what has no room is left out. */
export function barLine(standing: Standing, rate: number | undefined, width: number): string {
  const { done, total } = standing;
  const words = figures(standing, rate);
  const hasBar = total !== undefined && total > 0;
  for (let count = words.length; count > 0; count -= 1) {
    const tail = words.slice(0, count).join('  ');
    // A space, the brackets, and two spaces before the figures.
    const room = width - textWidth(head(standing)) - tail.length - 5;
    if (hasBar && room >= NARROWEST) return `${head(standing)} ${bar(done / total, Math.min(room, WIDEST))}  ${tail}`;
    if ((!hasBar || count === 1) && room + 3 >= 0) return `${head(standing)}  ${tail}`;
  }
  return fitText(head(standing), width);
}

/** For a file or a pipe: `a3ed95caeb02: Unpacking 12.3MB of 45.6MB (27%)`. */
export function plainLine(standing: Standing): string {
  const { done, total } = standing;
  if (total === undefined && done === 0) return head(standing);
  if (total === undefined || total === 0) return `${head(standing)}: ${formatSize(done)}`;
  const percent = Math.floor((100 * Math.min(done, total)) / total);
  return `${head(standing)}: ${formatSize(done)} of ${formatSize(total)} (${String(percent)}%)`;
}
