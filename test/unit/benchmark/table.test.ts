import { describe, expect, test } from 'vitest';
import { seconds, tableOf } from '../../../scripts/benchmark/report/table.js';
import { sampleReport, workload } from './report-sample.js';
import type { Sample } from './report-sample.js';

describe('seconds', () => {
  test.each([
    [0, '0.0000'],
    [0.00123, '0.0012'],
    [0.0567, '0.0567'],
    [0.09996, '0.100'],
    [0.1234, '0.123'],
    [0.9996, '1.00'],
    [1.234, '1.23'],
    [9.996, '10.0'],
    [12.34, '12.3'],
    [99.96, '100'],
    [1234.5, '1235'],
  ])('shows %d as %s', (value, shown) => {
    expect(seconds(value)).toBe(shown);
  });
});

const linesOf = (sample: Sample): string[] => tableOf(sampleReport(sample)).split('\n');

describe('tableOf', () => {
  test('says on which machine, when, and how it was measured', () => {
    const text = tableOf(sampleReport());
    for (const part of ['2026-11-21T10:20:30.000Z, commit abc1234', 'Example CPU, 2 CPUs, 4096 MiB, kvm'])
      expect(text).toContain(part);
    expect(text).toContain('kernel 6.18.44 #1 SMP\nscratch on ext4 /dev/vda1 rw,relatime\nnode: v20.0.0\n');
    expect(text).toContain('seconds, medians of 5 rounds');
    expect(text).not.toMatch(/QUICK|NOT A QUIET|FAILED:\n$|left out/);
    expect(tableOf(sampleReport({ quick: true }))).toContain('QUICK: SIZES TOO SMALL FOR FIGURES');
  });

  test('says that a machine is not quiet', () => {
    const report = sampleReport();
    const busy = { ...report, machine: { ...report.machine, loadAverage: 0.51 } };
    expect(tableOf(busy)).toContain('load average at the start 0.51: NOT A QUIET MACHINE\n');
  });

  test('has a line for each workload and a column for each backend and ratio, aligned', () => {
    const lines = linesOf({
      targets: { untar: [{ against: 'kernel', limit: 2 }], 'rm-rf': [{ against: 'kernel', limit: 0.4, below: true }] },
    });
    const at = lines.findIndex((line) => line.startsWith('workload'));
    expect(lines.slice(at, at + 5)).toEqual([
      'workload       host     kernel     veneer  fuse-overlayfs         veneer/kernel  veneer/fuse-overlayfs',
      'untar      2.00 ±5%   4.00 ±5%   6.00 ±5%        16.0 ±5%    1.50 met (<= 2.00)                   0.38',
      'rm-rf     0.200 ±5%  0.500 ±5%  0.250 ±5%          FAILED  0.50 MISSED (< 0.40)                      -',
      '',
      'targets met: 1 of 2',
    ]);
  });

  test('counts no targets where none could be judged', () => {
    const text = tableOf(sampleReport({ targets: { 'rm-rf': [{ against: 'fuse-overlayfs', limit: 1 }] } }));
    expect(text).not.toContain('targets met');
  });

  test('compares another build with this one', () => {
    const backends = ['kernel', 'veneer', 'veneer@/old'];
    const workloads = [workload('untar', { kernel: 4, veneer: 6, 'veneer@/old': 9 })];
    const lines = linesOf({ backends, workloads });
    expect(lines.find((line) => line.startsWith('workload'))).toMatch(/veneer\/kernel {2}veneer@\/old\/veneer$/);
    expect(lines.find((line) => line.startsWith('untar'))).toMatch(/ 1\.50 +1\.50$/);
  });

  test('has no ratio columns where this build did not take part', () => {
    const workloads = [workload('untar', { host: 2, kernel: 4 })];
    expect(linesOf({ backends: ['host', 'kernel'], workloads })).toContain('workload      host    kernel');
  });

  test('shows a time of zero without a ratio or a share of it', () => {
    const workloads = [workload('random-read', { kernel: 0, veneer: 6 })];
    const lines = linesOf({ backends: ['kernel', 'veneer'], workloads });
    expect(lines).toContain('random-read  0.0000 ±0%  6.00 ±5%              -');
  });

  test('names what failed and what was left out, with reasons, and ends with a line end', () => {
    const leftOut = {
      backends: [{ name: 'zfs', reason: 'no such thing' }],
      workloads: [{ name: 'npm-ci', reason: 'no npm' }],
    };
    const text = tableOf(sampleReport({ leftOut }));
    expect(text).toMatch(
      /\n\nleft out:\n {2}zfs: no such thing\n {2}npm-ci: no npm\n\nFAILED:\n {2}rm-rf on fuse-overlayfs: exit code 1\n$/,
    );
  });
});
