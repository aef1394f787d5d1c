// The report for a terminal.

import { JUDGED } from '../judge.js';
import { failuresOf } from '../result.js';
import type { BackendResult, Report, Verdict, WorkloadResult } from '../result.js';
import { KERNEL, PEER } from '../targets.js';

/** Three digits, but no more than four after the point. */
export function seconds(value: number): string {
  // As it is shown: 9.996 is 10.0, not 10.00.
  const shown = Number(value.toPrecision(3));
  return value.toFixed(shown >= 100 ? 0 : shown >= 10 ? 1 : shown >= 1 ? 2 : shown >= 0.1 ? 3 : 4);
}

function cell(result: BackendResult | undefined): string {
  if (result === undefined) return '-';
  if (result.status === 'failed') return 'FAILED';
  const { median, mad } = result.seconds;
  return `${seconds(median)} ±${median > 0 ? ((100 * mad) / median).toFixed(0) : '0'}%`;
}

/** A ratio, and where there is a target, whether it is met. */
function ratioCell(workload: WorkloadResult, against: string): string {
  const ratio = workload.ratios[JUDGED]?.[against]?.toFixed(2);
  if (ratio === undefined) return '-';
  const verdict = workload.targets.find((target) => target.against === against);
  return verdict === undefined ? ratio : `${ratio} ${verdict.met ? 'met' : 'MISSED'} ${limit(verdict)}`;
}

const limit = ({ below, limit: value }: Verdict): string => `(${below ? '<' : '<='} ${value.toFixed(2)})`;

/** Columns as wide as their widest cell, the first to the left, the others to the right. */
function align(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((text, column) => (column === 0 ? text.padEnd(widths[column]!) : text.padStart(widths[column]!)))
      .join('  ')
      .trimEnd(),
  );
}

function machineLines({ machine, settings, date }: Report): string[] {
  const { processor, cpus, memoryMiB, virtualization, kernel, filesystem, loadAverage, commit, versions } = machine;
  return [
    `${date}, commit ${commit}`,
    `${processor}, ${String(cpus)} CPUs, ${String(memoryMiB)} MiB, ${virtualization === 'none' ? 'no virtual machine' : virtualization}`,
    `kernel ${kernel}`,
    `scratch on ${filesystem}`,
    ...Object.entries(versions).map(([name, version]) => `${name}: ${version}`),
    `tree: ${settings.tree}`,
    `load average at the start ${loadAverage.toFixed(2)}${loadAverage > 0.5 ? ': NOT A QUIET MACHINE' : ''}`,
  ];
}

function tableLines(report: Report): string[] {
  const { backends } = report.settings;
  const others = backends.filter((name) => name !== JUDGED && name.startsWith(JUDGED));
  const ratios = backends.includes(JUDGED) ? [KERNEL, PEER].filter((name) => backends.includes(name)) : [];
  const variants = backends.includes(JUDGED) ? others : [];
  const head = [
    'workload',
    ...backends,
    ...ratios.map((name) => `${JUDGED}/${name}`),
    ...variants.map((name) => `${name}/${JUDGED}`),
  ];
  const rows = report.workloads.map((workload) => [
    workload.name,
    ...backends.map((name) => cell(workload.results.find(({ backend }) => backend === name))),
    ...ratios.map((name) => ratioCell(workload, name)),
    ...variants.map((name) => workload.ratios[name]?.[JUDGED]?.toFixed(2) ?? '-'),
  ]);
  return align([head, ...rows]);
}

function summaryLine(report: Report): string[] {
  const verdicts = report.workloads.flatMap(({ targets }) => targets);
  if (verdicts.length === 0) return [];
  return ['', `targets met: ${String(verdicts.filter(({ met }) => met).length)} of ${String(verdicts.length)}`];
}

/** All lines of the report. */
export function tableOf(report: Report): string {
  const { rounds, quick } = report.settings;
  const leftOut = [...report.leftOut.backends, ...report.leftOut.workloads];
  const failures = failuresOf(report);
  return [
    ...machineLines(report),
    '',
    `seconds, medians of ${String(rounds)} rounds ± median deviation; lower is better${quick ? '; QUICK: SIZES TOO SMALL FOR FIGURES' : ''}`,
    ...tableLines(report),
    ...summaryLine(report),
    ...(leftOut.length === 0 ? [] : ['', 'left out:']),
    ...leftOut.map(({ name, reason }) => `  ${name}: ${reason}`),
    ...(failures.length === 0 ? [] : ['', 'FAILED:']),
    ...failures.map((failure) => `  ${failure}`),
    '',
  ].join('\n');
}
