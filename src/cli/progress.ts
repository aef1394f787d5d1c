// How far a long command is, on stderr: a bar that rewrites its line on a terminal, now and then a plain line elsewhere.

import { formatSize } from '../core/index.js';

export interface ProgressOptions {
  /** What is going on: `importing`. */
  readonly label: string;
  /** Bytes in all, where known. */
  readonly total?: number | undefined;
  readonly stream?: { readonly isTTY?: boolean; write(text: string): unknown };
  readonly now?: () => number;
}

/** Milliseconds between two updates. */
const REDRAW = 100;
const PLAIN = 5000;
const BAR = 30;
const CLEAR_LINE = '\r\x1b[K';

function bar(part: number): string {
  const filled = Math.round(Math.min(part, 1) * BAR);
  return `[${'='.repeat(filled)}${' '.repeat(BAR - filled)}] ${String(Math.floor(Math.min(part, 1) * 100)).padStart(3)}%`;
}

/** Reports bytes done; `end` clears the bar. What takes less than one interval prints nothing. */
export class Progress {
  readonly #options: ProgressOptions;
  readonly #stream: NonNullable<ProgressOptions['stream']>;
  readonly #now: () => number;
  #last: number;
  #drawn = false;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#stream = options.stream ?? process.stderr;
    this.#now = options.now ?? Date.now;
    this.#last = this.#now();
  }

  update(bytes: number): void {
    const interactive = this.#stream.isTTY === true;
    const now = this.#now();
    if (now - this.#last < (interactive ? REDRAW : PLAIN)) return;
    this.#last = now;
    this.#drawn = interactive;
    this.#stream.write(interactive ? `${CLEAR_LINE}${this.#line(bytes)}` : `${this.#line(bytes)}\n`);
  }

  end(): void {
    if (this.#drawn) this.#stream.write(CLEAR_LINE);
    this.#drawn = false;
  }

  #line(bytes: number): string {
    const { label, total } = this.#options;
    if (total === undefined || total === 0) return `${label}: ${formatSize(bytes)}`;
    const size = `${formatSize(bytes)} of ${formatSize(total)}`;
    return this.#stream.isTTY === true
      ? `${label} ${bar(bytes / total)} ${size}`
      : `${label}: ${size} (${Math.floor((100 * bytes) / total)}%)`;
  }
}
