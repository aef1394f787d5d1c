// The report as an SVG: for each workload, how many times as long as on kernel overlayfs. Bars grow from the line at 1, on a
// logarithmic axis, so that half and double are equally far from it.

import { medianOf } from '../result.js';
import type { Report, WorkloadResult } from '../result.js';
import { seconds } from './table.js';

const BASELINE = 'kernel';
const COLOURS = ['#8a8f98', '#2563eb', '#0d9488', '#d97706', '#9333ea', '#64748b'];

const BAR = 11;
const GAP = 12;
const LABELS = 290;
const PLOT = 520;
const VALUES = 150;
const TOP = 84;
const MARGIN = 16;

const escape = (text: string): string => text.replace(/[&<>"]/g, (it) => `&#${String(it.charCodeAt(0))};`);

interface Text {
  readonly x: number;
  readonly y: number;
  readonly size?: number;
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly fill?: string;
}

const text = (content: string, { x, y, size = 11, anchor = 'start', fill = '#1f2937' }: Text): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" font-size="${String(size)}" text-anchor="${anchor}" fill="${fill}">${escape(content)}</text>`;

interface Bar {
  readonly backend: string;
  readonly ratio: number;
  readonly seconds: number;
}

function barsOf(workload: WorkloadResult, backends: readonly string[]): Bar[] {
  const base = medianOf(workload, BASELINE);
  if (base === undefined) return [];
  return backends.flatMap((backend) => {
    const value = medianOf(workload, backend);
    return value === undefined ? [] : [{ backend, ratio: value / base, seconds: value }];
  });
}

/** Returns the SVG. Workloads that kernel overlayfs did not run are not in it. */
export function chartOf(report: Report): string {
  const backends = report.settings.backends.filter((name) => name !== BASELINE && name !== 'kernel-default');
  const groups = report.workloads
    .map((workload) => ({ workload, bars: barsOf(workload, backends) }))
    .filter(({ bars }) => bars.length > 0);
  const logs = groups.flatMap(({ bars }) => bars.map(({ ratio }) => Math.log2(ratio)));
  const low = Math.floor(Math.min(-1, ...logs));
  const high = Math.ceil(Math.max(1, ...logs));
  const at = (log: number): number => LABELS + ((log - low) / (high - low)) * PLOT;
  const height = TOP + groups.reduce((sum, { bars }) => sum + bars.length * BAR + GAP, 0) + MARGIN;
  const width = LABELS + PLOT + VALUES;
  const { machine } = report;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${String(width)} ${String(height)}" width="${String(width)}" height="${String(height)}" font-family="system-ui, sans-serif">`,
    `<rect width="${String(width)}" height="${String(height)}" fill="#ffffff"/>`,
    text('Time relative to kernel overlayfs (left of 1 is faster)', { x: MARGIN, y: 24, size: 15 }),
    text(
      `${machine.processor}, ${String(machine.cpus)} CPUs, kernel ${machine.kernel.split(' ')[0] ?? ''}, ${machine.filesystem.split(' ')[0] ?? ''}; medians of ${String(report.settings.rounds)} rounds; ${report.date.slice(0, 10)}`,
      { x: MARGIN, y: 42, fill: '#6b7280' },
    ),
  ];
  for (const [index, backend] of backends.entries()) {
    const x = LABELS + index * 130;
    parts.push(`<rect x="${String(x)}" y="52" width="10" height="10" fill="${colour(index)}"/>`);
    parts.push(text(backend, { x: x + 15, y: 61 }));
  }
  for (let log = low; log <= high; log += 1) {
    const [x, stroke] = [at(log).toFixed(1), log === 0 ? '#374151' : '#e5e7eb'];
    parts.push(
      `<line x1="${x}" x2="${x}" y1="${String(TOP - 4)}" y2="${String(height - MARGIN)}" stroke="${stroke}"/>`,
    );
    const label = log < 0 ? `1/${String(2 ** -log)}` : `${String(2 ** log)}×`;
    parts.push(text(label, { x: at(log), y: TOP - 8, anchor: 'middle', fill: '#6b7280' }));
  }
  let y = TOP + GAP / 2;
  for (const { workload, bars } of groups) {
    const middle = y + (bars.length * BAR) / 2 + 4;
    parts.push(text(workload.title, { x: LABELS - 10, y: middle, anchor: 'end' }));
    for (const bar of bars) {
      const [from, to] = [at(Math.min(0, Math.log2(bar.ratio))), at(Math.max(0, Math.log2(bar.ratio)))];
      const fill = colour(backends.indexOf(bar.backend));
      parts.push(
        `<rect x="${from.toFixed(1)}" y="${y.toFixed(1)}" width="${Math.max(1, to - from).toFixed(1)}" height="${String(BAR - 2)}" fill="${fill}"/>`,
      );
      parts.push(
        text(`${bar.ratio.toFixed(2)}  ${seconds(bar.seconds)} s`, {
          x: to + 5,
          y: y + BAR - 3,
          size: 9,
          fill: '#4b5563',
        }),
      );
      y += BAR;
    }
    y += GAP;
  }
  return `${parts.join('\n')}\n</svg>\n`;
}

const colour = (index: number): string => COLOURS[index % COLOURS.length]!;
