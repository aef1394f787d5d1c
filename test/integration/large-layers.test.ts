// Memory does not grow with layers. By itself with small large ones; VENEER_LARGE_BYTES=10737418240 and
// VENEER_LARGE_ENTRIES=1000000 make them as large as they come (and take as much of the disk).

import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { requires } from '../helpers/requires.js';
import { tempDir } from '../helpers/tmp.js';
import type { TempDir } from '../helpers/tmp.js';

const gate = requires('build');
const BYTES = Number(process.env['VENEER_LARGE_BYTES'] ?? 200 << 20);
const ENTRIES = Number(process.env['VENEER_LARGE_ENTRIES'] ?? 4000);
const MEGABYTE = 1 << 20;

interface Phase {
  readonly ms: number;
  readonly peak: number;
}

interface Report {
  readonly start: number;
  readonly size: number;
  readonly assembled: number;
  readonly content: number;
  readonly written: number;
  readonly apply: Phase;
  readonly assemble: Phase;
  readonly write: Phase;
}

let temp: TempDir;
beforeEach(() => (temp = tempDir('large-layers')));
afterEach(() => temp.remove());

async function run(bytes: number, files: number): Promise<Report> {
  const script = path.join(import.meta.dirname, 'large-layer.mjs');
  const door = path.resolve(import.meta.dirname, '../../dist/layer/index.js');
  const args = [script, door, temp.path, String(bytes), String(files)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const report = JSON.parse(stdout) as Report;
  if (process.env['VENEER_LARGE_BYTES'] !== undefined) process.stdout.write(`${stdout}\n`);
  return report;
}

describe(gate.title('a large layer'), () => {
  test.skipIf(gate.skip)('of one file takes no more memory than a small one', { timeout: 1_800_000 }, async () => {
    const report = await run(BYTES, 0);
    expect(report).toMatchObject({ size: report.assembled, content: BYTES, written: BYTES });
    for (const phase of [report.apply, report.assemble, report.write]) {
      expect(phase.peak).toBeLessThan(report.start + 150 * MEGABYTE);
    }
  });

  test.skipIf(gate.skip)('of many files takes little for each', { timeout: 1_800_000 }, async () => {
    const report = await run(0, ENTRIES);
    expect(report).toMatchObject({ size: report.assembled, content: 8 * ENTRIES, written: 8 * ENTRIES });
    for (const phase of [report.apply, report.assemble, report.write]) {
      expect(phase.peak).toBeLessThan(report.start + 150 * MEGABYTE + 200 * ENTRIES);
    }
  });
});
