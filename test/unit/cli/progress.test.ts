import { expect, test } from 'vitest';
import { Progress } from '../../../src/cli/progress.js';

function recorder(isTTY: boolean): { text: string; isTTY: boolean; write(text: string): void } {
  return {
    text: '',
    isTTY,
    write(text) {
      this.text += text;
    },
  };
}

test('rewrites one line on a terminal, and clears it in the end', () => {
  const stream = recorder(true);
  let now = 0;
  const progress = new Progress({ label: 'importing', total: 200, stream, now: () => now });
  progress.update(10);
  expect(stream.text).toBe('');
  now = 100;
  progress.update(50);
  expect(stream.text).toMatch(/^\r\x1b\[Kimporting \[=+ +\] {2}25% 50B of 200B$/);
  progress.end();
  expect(stream.text.endsWith('\r\x1b[K')).toBe(true);
});

test('prints a plain line now and then elsewhere', () => {
  const stream = recorder(false);
  let now = 0;
  const progress = new Progress({ label: 'importing', stream, now: () => now });
  for (now = 0; now <= 12_000; now += 500) progress.update(now);
  progress.end();
  expect(stream.text).toBe('importing: 5kB\nimporting: 10kB\n');
});

test('says how far it is where the total is known', () => {
  const stream = recorder(false);
  let now = 0;
  const progress = new Progress({ label: 'importing', total: 3, stream, now: () => now });
  now = 5000;
  progress.update(1);
  expect(stream.text).toBe('importing: 1B of 3B (33%)\n');
});
