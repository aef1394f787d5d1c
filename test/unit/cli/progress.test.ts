import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Progress, ProgressBoard } from '../../../src/cli/progress.js';
import { Screen } from './screen.js';

function pipe(): { text: string; write(text: string): void } {
  return {
    text: '',
    write(text) {
      this.text += text;
    },
  };
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubEnv('TERM', 'xterm');
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

const wait = (milliseconds: number): void => void vi.advanceTimersByTime(milliseconds);

test('a line above what goes on has nothing of a terminal where there is none', () => {
  const stream = pipe();
  const board = new ProgressBoard({ stream });
  board.line('abc').update('Downloading', 10, 100);
  board.note('rate limit, next try in 2 s');
  wait(1000);
  board.end();
  expect(stream.text).toBe('rate limit, next try in 2 s\n');
});

describe('one thing on a terminal', () => {
  test('is one line, rewritten, and gone in the end', () => {
    const screen = new Screen(80, 24);
    const progress = new Progress({ label: 'importing', total: 200, stream: screen });
    progress.update(10);
    expect(screen.lines()).toEqual([]);
    wait(100);
    progress.update(50);
    wait(100);
    expect(screen.lines()).toEqual([expect.stringMatching(/^importing \[=+> +\] {2}50B\/200B$/)]);
    wait(1000);
    progress.update(150);
    wait(100);
    expect(screen.lines()).toEqual([expect.stringMatching(/^importing \[=+> +\] {2}150B\/200B {2}.*B\/s {2}ETA 1s$/)]);
    progress.end();
    expect(screen.lines()).toEqual([]);
    expect(screen.cursor).toEqual({ row: 0, column: 0 });
  });

  test('that is soon over shows nothing', () => {
    const screen = new Screen(80, 24);
    const progress = new Progress({ label: 'importing', total: 200, stream: screen });
    progress.update(200);
    progress.end();
    wait(1000);
    expect(screen.written).toBe('');
  });

  test('shows the last update, also when none follows', () => {
    const screen = new Screen(80, 24);
    const progress = new Progress({ label: 'importing', stream: screen });
    progress.update(1);
    progress.update(2);
    wait(100);
    expect(screen.lines()).toEqual(['importing  2B']);
  });
});

describe('several at once', () => {
  test('have a line each; what has ended stays above, and the cursor below', () => {
    const screen = new Screen(100, 24);
    const board = new ProgressBoard({ stream: screen });
    const [a, b] = [board.line('a3ed95caeb02'), board.line('b1d5781111d8')];
    a.update('Unpacking', 1_000_000, 4_000_000);
    b.update('Waiting', 0);
    wait(100);
    expect(screen.lines()).toEqual([
      expect.stringMatching(/^a3ed95caeb02: Unpacking \[=+> +\] {2}1MB\/4MB$/),
      'b1d5781111d8: Waiting',
    ]);
    a.end('Loaded');
    expect(screen.lines()).toEqual(['a3ed95caeb02: Loaded', 'b1d5781111d8: Waiting']);
    b.update('Unpacking', 5, 10);
    wait(100);
    board.aside(() => screen.write('Loaded image: base:latest\n'));
    expect(screen.lines()).toEqual(['a3ed95caeb02: Loaded', 'Loaded image: base:latest']);
    wait(100);
    expect(screen.lines()[2]).toMatch(/^b1d5781111d8: Unpacking/);
    board.end();
    expect(screen.lines()).toEqual(['a3ed95caeb02: Loaded', 'Loaded image: base:latest']);
    expect(screen.cursor).toEqual({ row: 2, column: 0 });
  });

  test('are no more than the terminal has rows', () => {
    const screen = new Screen(80, 5);
    const board = new ProgressBoard({ stream: screen });
    for (let at = 0; at < 9; at += 1) board.line(`layer${String(at)}`).update('Unpacking', 10, 20);
    wait(100);
    expect(screen.lines()).toHaveLength(4);
    expect(screen.lines().at(-1)).toBe('... and 6 more: 60B');
    board.end();
    expect(screen.lines()).toEqual([]);
  });

  test('leave nothing behind where the terminal was made narrower', () => {
    const screen = new Screen(80, 24);
    const board = new ProgressBoard({ stream: screen });
    const line = board.line('a3ed95caeb02');
    screen.write('before\n');
    line.update('Unpacking', 10, 20);
    wait(100);
    screen.resize(40);
    line.update('Unpacking', 12, 20);
    wait(100);
    expect(screen.lines()).toEqual(['before', expect.stringMatching(/^a3ed95caeb02: Unpacking.*12B\/20B$/)]);
  });

  test('have names that cannot steer the terminal', () => {
    const screen = new Screen(80, 24);
    const board = new ProgressBoard({ stream: screen });
    board.line('\x1b[2Jx\u009b1m').update('Reading', 1);
    wait(100);
    expect(screen.lines()).toEqual(['\\x1b[2Jx\\x9b1m: Reading  1B']);
  });
});

describe('elsewhere', () => {
  test('a plain line now and then', () => {
    const stream = pipe();
    const progress = new Progress({ label: 'importing', stream });
    for (let done = 0; done <= 12_000; done += 500) {
      progress.update(done);
      wait(500);
    }
    progress.end();
    expect(stream.text).toBe('importing: 5kB\nimporting: 10kB\n');
  });

  test('says how far it is where the total is known, and how it ended', () => {
    const stream = pipe();
    const board = new ProgressBoard({ stream });
    const [slow, quick] = [board.line('a3ed95caeb02'), board.line('b1d5781111d8')];
    wait(5000);
    slow.update('Unpacking', 1, 3);
    slow.end('Loaded');
    quick.end('Already exists');
    expect(stream.text).toBe('a3ed95caeb02: Unpacking: 1B of 3B (33%)\na3ed95caeb02: Loaded\n');
  });

  test('a dumb terminal gets plain lines', () => {
    vi.stubEnv('TERM', 'dumb');
    const stream = { ...pipe(), isTTY: true };
    const progress = new Progress({ label: 'importing', stream });
    wait(5000);
    progress.update(1);
    progress.end();
    expect(stream.text).toBe('importing: 1B\n');
  });

  test('nothing with quiet', () => {
    const screen = new Screen(80, 24);
    const board = new ProgressBoard({ stream: screen, quiet: true });
    const line = board.line('x');
    line.update('Unpacking', 1, 2);
    wait(10_000);
    line.update('Unpacking', 2, 2);
    line.end('Loaded');
    board.end();
    expect(screen.written).toBe('');
  });
});
