// scripts/bench at its smallest: whether it works and whom it catches, not how fast anything is.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { requires } from '../helpers/requires.js';
import { tempDir } from '../helpers/tmp.js';

const BENCH = path.resolve(import.meta.dirname, '../../scripts/bench');
const gate = requires('root', 'fuse', 'kernel-overlay', 'build', 'tar');

interface Report {
  readonly format: number;
  readonly machine: { readonly cpus: number; readonly versions: Readonly<Record<string, string>> };
  readonly settings: { readonly rounds: number; readonly quick: boolean; readonly backends: readonly string[] };
  readonly leftOut: { readonly backends: readonly { readonly name: string; readonly reason: string }[] };
  readonly workloads: readonly {
    readonly name: string;
    readonly results: readonly {
      readonly backend: string;
      readonly status: string;
      readonly reason?: string;
      readonly samples?: readonly number[];
      readonly seconds?: Readonly<Record<string, number>>;
    }[];
    readonly ratios: Readonly<Record<string, Readonly<Record<string, number>>>>;
    readonly targets: readonly { readonly against: string; readonly ratio: number; readonly met: boolean }[];
  }[];
}

function bench(...args: readonly string[]): { code: number | null; stdout: string; stderr: string } {
  const child = spawnSync(BENCH, ['--no-build', ...args], { encoding: 'utf8', timeout: 120_000 });
  return { code: child.status, stdout: child.stdout, stderr: child.stderr };
}

describe.skipIf(gate.skip)(gate.title('scripts/bench'), { timeout: 120_000 }, () => {
  test('measures, checks, and writes a table, JSON and a chart', () => {
    using temp = tempDir('bench');
    const [json, plot] = [path.join(temp.path, 'bench.json'), path.join(temp.path, 'bench.svg')];
    const args = ['--quick', '--dir', temp.path, '--json', json, '--plot', plot];
    const { code, stdout, stderr } = bench(...args, '--backends', 'host,kernel,veneer', 'untar', 'find-warm');
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stdout).toMatch(/^workload +host +kernel +veneer +veneer\/kernel\nuntar .*\nfind-warm /m);
    const report = JSON.parse(readFileSync(json, 'utf8')) as Report;
    expect(report).toMatchObject({
      format: 1,
      machine: { cpus: expect.any(Number) as number, versions: { node: process.version } },
      settings: { rounds: 1, quick: true, backends: ['host', 'kernel', 'veneer'] },
    });
    expect(report.workloads.map(({ name }) => name)).toEqual(['untar', 'find-warm']);
    for (const { results, ratios, targets } of report.workloads) {
      expect(results.map(({ backend, status }) => [backend, status])).toEqual([
        ['host', 'ok'],
        ['kernel', 'ok'],
        ['veneer', 'ok'],
      ]);
      for (const { samples, seconds } of results) {
        expect(samples).toHaveLength(1);
        expect(seconds!['median']).toBeGreaterThan(0);
      }
      expect(targets).toEqual([expect.objectContaining({ against: 'kernel', ratio: ratios['veneer']!['kernel'] })]);
    }
    expect(readFileSync(plot, 'utf8')).toMatch(/^<svg [^]*tar -x of a Debian tree[^]*<\/svg>\n$/);
    expect(readdirSync(temp.path).toSorted()).toEqual(['bench.json', 'bench.svg']);
  });

  test('catches who does not do the work', () => {
    using temp = tempDir('bench');
    const args = ['--quick', '--dir', temp.path, '--format', 'json', '--backends', 'idle,host'];
    const { code, stdout } = bench(...args, 'rm-rf', 'seq-read');
    expect(code).toBe(1);
    const { workloads } = JSON.parse(stdout) as Report;
    expect(workloads.map(({ results }) => results.map(({ status }) => status))).toEqual([
      ['failed', 'ok'],
      ['failed', 'ok'],
    ]);
    expect(workloads[0]!.ratios['idle']).toBeUndefined();
    expect(existsSync(path.join(temp.path, 'run'))).toBe(false);
  });

  test.each([
    ['an unknown workload', ['no-such'], "unknown workload 'no-such'"],
    ['an unknown backend', ['--backends', 'zfs'], "unknown backend 'zfs'"],
    ['no rounds', ['--rounds', '0'], '--rounds'],
    ['a directory that is not there', ['--dir', '/no/such'], '--dir'],
    ['an unknown option', ['--fast'], '--fast'],
  ])('refuses %s', (_, args, message) => {
    const { code, stdout, stderr } = bench(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^bench: [^\n]+\n$/);
    expect(stderr).toContain(message);
  });
});
