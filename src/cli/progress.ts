// How far a long command is, on stderr: on a terminal a line per thing that goes on, rewritten in place; elsewhere a plain
// line now and then. Nothing is coloured, and the cursor is below the lines between any two writes, so that whatever ends
// the program leaves the terminal in order.

import { formatSize } from '../core/index.js';
import { barLine, plainLine } from './progress-line.js';
import type { Standing } from './progress-line.js';
import { cleanText, textWidth } from './text.js';

/** What progress is written to: process.stderr, as far as it matters. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

export interface BoardOptions {
  /** Prints nothing at all. */
  readonly quiet?: boolean | undefined;
  readonly stream?: ProgressStream | undefined;
}

/** One thing that goes on. Calls are cheap: the screen follows a few times a second. */
export interface ProgressLine {
  /** What is going on (`Unpacking`) and how far it is, in bytes. Another action than before starts anew. */
  update(action: string, done: number, total?: number): void;
  /** Takes the line away. With a word (`Loaded`), `NAME: WORD` stays on a terminal, above what still goes on. */
  end(word?: string): void;
}

/** Milliseconds between two updates. */
const REDRAW = 100;
const PLAIN = 5000;
/** Of a terminal that does not say its size. */
const COLUMNS = 80;
const ROWS = 24;
/** A rate is the mean of this time, in milliseconds, looked at in steps. */
const RATE_WINDOW = 5000;
const RATE_STEP = 250;

/** A line's figures, and where it was in the last seconds. */
class Track implements Standing {
  readonly name: string;
  action = '';
  done = 0;
  total: number | undefined;
  #samples: { time: number; done: number }[] = [];
  /** When a plain line is due. */
  due: number;
  /** Whether a plain line was printed. */
  told = false;

  constructor(name: string, now: number) {
    this.name = name;
    this.due = now + PLAIN;
  }

  update(now: number, action: string, done: number, total: number | undefined): void {
    if (action !== this.action || done < this.done) this.#samples = [];
    Object.assign(this, { action, done, total });
    const last = this.#samples.at(-1);
    if (last !== undefined && now - last.time < RATE_STEP) return;
    this.#samples.push({ time: now, done });
    if (now - (this.#samples[0]?.time ?? now) > RATE_WINDOW) this.#samples.shift();
  }

  /** Bytes per second; undefined until there is something to say. */
  rate(now: number): number | undefined {
    const first = this.#samples[0];
    if (first === undefined || now - first.time < 2 * RATE_STEP) return undefined;
    return (1000 * (this.done - first.done)) / (now - first.time);
  }
}

/** The lines of a command. `end` takes what is left of them from the screen, whatever happened. */
export class ProgressBoard implements Disposable {
  readonly #stream: ProgressStream;
  readonly #quiet: boolean;
  readonly #interactive: boolean;
  readonly #tracks = new Set<Track>();
  /** Widths of the lines on the screen, above the cursor. */
  #shown: number[] = [];
  #drawn = performance.now();
  #timer: NodeJS.Timeout | undefined;

  constructor({ quiet, stream }: BoardOptions = {}) {
    this.#stream = stream ?? process.stderr;
    this.#quiet = quiet === true;
    this.#interactive = this.#stream.isTTY === true && process.env['TERM'] !== 'dumb';
  }

  /** A line with this name at its start: a layer's short ID, a file's name. */
  line(name: string): ProgressLine {
    const track = new Track(cleanText(name), performance.now());
    return {
      update: (action, done, total) => {
        if (this.#quiet) return;
        this.#tracks.add(track);
        track.update(performance.now(), action, done, total);
        if (this.#interactive) this.#schedule();
        else this.#tell(track);
      },
      end: (word) => {
        if (this.#quiet) return;
        const wasThere = this.#tracks.delete(track);
        const last = word === undefined ? undefined : [track.name, word].filter((part) => part !== '').join(': ');
        if (this.#interactive && last !== undefined) this.#draw(`${last}\n`);
        else if (this.#interactive && wasThere && this.#shown.length > 0) this.#schedule();
        else if (track.told && last !== undefined) this.#stream.write(`${last}\n`);
      },
    };
  }

  /** Runs what writes to the terminal (results, warnings) while the lines are out of its way. */
  aside(write: () => void): void {
    this.#stream.write(this.#erasure());
    this.#shown = [];
    write();
    if (this.#interactive && this.#tracks.size > 0) this.#schedule();
  }

  /** One line on the stream, above the others; it stays. */
  note(text: string): void {
    if (!this.#quiet) this.aside(() => this.#stream.write(`${cleanText(text)}\n`));
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#tracks.clear();
    if (this.#shown.length > 0) this.#stream.write(this.#erasure());
    this.#shown = [];
  }

  [Symbol.dispose](): void {
    this.end();
  }

  #tell(track: Track): void {
    const now = performance.now();
    if (now < track.due) return;
    track.due = now + PLAIN;
    track.told = true;
    this.#stream.write(`${plainLine(track)}\n`);
  }

  /** Draws now, or when the time has come: the last update is never lost. */
  #schedule(): void {
    const wait = this.#drawn + REDRAW - performance.now();
    if (wait <= 0) this.#draw();
    else this.#timer ??= setTimeout(() => this.#draw(), wait).unref();
  }

  #draw(above = ''): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const now = performance.now();
    this.#drawn = now;
    // The last column stays free: a terminal that is full wraps, or does not.
    const width = Math.max((this.#stream.columns ?? 0) || COLUMNS, 2) - 1;
    const lines = this.#visible(((this.#stream.rows ?? 0) || ROWS) - 1, (track) =>
      barLine(track, track.rate(now), width),
    );
    const text = lines.map((line) => `${line}\n`).join('');
    this.#stream.write(`${this.#erasure()}${above}${text}`);
    this.#shown = lines.map(textWidth);
  }

  /** As many lines as the terminal has rows for. */
  #visible(rows: number, line: (track: Track) => string): string[] {
    const tracks = [...this.#tracks];
    if (tracks.length <= rows) return tracks.map(line);
    const hidden = tracks.slice(Math.max(rows - 1, 0));
    const bytes = hidden.reduce((sum, { done }) => sum + done, 0);
    const more = `... and ${String(hidden.length)} more: ${formatSize(bytes)}`;
    return [...tracks.slice(0, Math.max(rows - 1, 0)).map(line), more];
  }

  /** Moves up over what is shown, in rows of the width the terminal has now, and clears to the end. */
  #erasure(): string {
    if (this.#shown.length === 0) return '';
    const columns = (this.#stream.columns ?? 0) || COLUMNS;
    const rows = this.#shown.reduce((sum, width) => sum + Math.max(Math.ceil(width / columns), 1), 0);
    return `\r\x1b[${String(rows)}A\x1b[J`;
  }
}

export interface ProgressOptions extends BoardOptions {
  /** What is going on: `importing`. */
  readonly label: string;
  /** Bytes in all, where known. */
  readonly total?: number | undefined;
}

/** The progress of a command that does one thing. What takes less than one interval prints nothing. */
export class Progress {
  readonly #board: ProgressBoard;
  readonly #line: ProgressLine;
  readonly #options: ProgressOptions;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#board = new ProgressBoard(options);
    this.#line = this.#board.line('');
  }

  /** How far it is, and what the whole is where that is known only now. */
  update(done: number, total = this.#options.total): void {
    this.#line.update(this.#options.label, done, total);
  }

  end(): void {
    this.#board.end();
  }
}
