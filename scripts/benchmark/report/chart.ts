// The report as an SVG: for each workload, how many times as long as on kernel overlayfs. Bars grow from the line at 1, on a
// logarithmic axis, so that half and double are equally far from it. It brings its own white ground, since who shows it may
// have a dark page and does not say so.

import { medianOf } from '../result.js';
import type { Report, WorkloadResult } from '../result.js';
import { KERNEL } from '../targets.js';
import { element } from './svg.js';
import { seconds } from './table.js';

/** A backend has the same colour in every chart; builds and options that are compared take the rest, in their order. */
const COLOURS: Readonly<Record<string, string>> = {
  host: '#7d838d',
  veneer: '#2563eb',
  'veneer-native': '#0d9488',
  'fuse-overlayfs': '#c2620a',
};
const MORE_COLOURS = ['#9333ea', '#db2777', '#4d7c0f', '#0e7490', '#7f1d1d', '#1e3a8a'];
const INK = '#1f2937';
const SOFT = '#57606a';
const GRID = '#d8dee4';

/** Lengths are in pixels. A group has room for the two lines of its label. */
const BAR = 12;
const GROUP = 28;
const GAP = 8;
const LABELS = 340;
const PLOT = 460;
const WIDTH = 960;
const MARGIN = 16;
const LEGEND = 82;
const LEGEND_LINE = 16;
/** Between the legend and the first group, for the axis. */
const AXIS = 34;
/** Labels of the axis that fit side by side. */
const TICKS = 10;

interface Text {
  readonly x: number;
  readonly y: number;
  readonly size?: number;
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly fill?: string;
  readonly bold?: boolean;
}

function text(content: string, { x, y, size = 11, anchor = 'start', fill = INK, bold = false }: Text): string {
  const weight = bold ? { 'font-weight': 'bold' } : {};
  return element('text', { x, y, 'font-size': size, 'text-anchor': anchor, fill, ...weight }, content);
}

interface Row {
  readonly backend: string;
  /** How many times as long as on kernel overlayfs, and the seconds; or why there is no bar. */
  readonly found: { readonly ratio: number; readonly seconds: number } | string;
}

interface Group {
  readonly workload: WorkloadResult;
  readonly rows: readonly Row[];
}

function rowsOf(workload: WorkloadResult, backends: readonly string[]): Row[] {
  return backends.map((backend) => {
    const [ratio, median] = [workload.ratios[backend]?.[KERNEL], medianOf(workload, backend)];
    if (median === undefined) return { backend, found: 'failed' };
    return { backend, found: ratio === undefined ? 'too short to be timed' : { ratio, seconds: median } };
  });
}

interface Scale {
  /** Powers of two. */
  readonly low: number;
  readonly high: number;
  /** The x of a ratio. */
  readonly at: (ratio: number) => number;
}

function scaleOf(groups: readonly Group[]): Scale {
  const found = groups.flatMap(({ rows }) => rows.flatMap((row) => (typeof row.found === 'string' ? [] : [row.found])));
  const logs = found.map(({ ratio }) => Math.log2(ratio));
  const low = Math.floor(Math.min(-1, ...logs));
  const high = Math.ceil(Math.max(1, ...logs));
  return { low, high, at: (ratio) => LABELS + ((Math.log2(ratio) - low) / (high - low)) * PLOT };
}

function coloursOf(backends: readonly string[]): (backend: string) => string {
  const others = backends.filter((backend) => COLOURS[backend] === undefined);
  return (backend) => COLOURS[backend] ?? MORE_COLOURS[others.indexOf(backend) % MORE_COLOURS.length]!;
}

function headLines({ machine, settings, date }: Report): string[] {
  const { processor, cpus, kernel, filesystem, commit } = machine;
  const first = (words: string): string => words.split(' ')[0] ?? '';
  const rounds = settings.rounds === 1 ? 'one round' : `medians of ${String(settings.rounds)} rounds`;
  const how = settings.quick ? `${rounds}; QUICK: SIZES TOO SMALL FOR FIGURES` : rounds;
  const [where, what] = [
    `${date.slice(0, 10)}, ${processor}, ${String(cpus)} CPUs`,
    `kernel ${first(kernel)}, ${first(filesystem)}, commit ${commit}; ${how}`,
  ];
  return [
    text('Time relative to kernel overlayfs', { x: MARGIN, y: 28, size: 16, bold: true }),
    text(where, { x: MARGIN, y: 47, fill: SOFT }),
    text(what, { x: MARGIN, y: 62, fill: SOFT }),
  ];
}

/** Squares with names, in as many lines as they take; `end` is the y below them. */
function legend(backends: readonly string[], colour: (backend: string) => string): { parts: string[]; end: number } {
  let [x, y] = [MARGIN, LEGEND];
  const parts: string[] = [];
  for (const backend of backends) {
    const width = 15 + backend.length * 6.5 + 15;
    if (x > MARGIN && x + width > WIDTH - MARGIN) [x, y] = [MARGIN, y + LEGEND_LINE];
    parts.push(element('rect', { x, y: y - 9, width: 10, height: 10, fill: colour(backend) }));
    parts.push(text(backend, { x: x + 15, y }));
    x += width;
  }
  return { parts, end: y };
}

function axis({ low, high, at }: Scale, top: number, bottom: number): string[] {
  const step = Math.ceil((high - low + 1) / TICKS);
  const powers = Array.from({ length: high - low + 1 }, (_, index) => low + index).filter((log) => log % step === 0);
  return [
    text('\u2190 faster \u00b7 times as long as kernel overlayfs, logarithmic scale \u00b7 slower \u2192', {
      x: LABELS + PLOT / 2,
      y: top - 19,
      anchor: 'middle',
      fill: SOFT,
    }),
    ...powers.flatMap((log) => {
      const x = at(2 ** log);
      const label = log < 0 ? `1/${String(2 ** -log)}\u00d7` : `${String(2 ** log)}\u00d7`;
      return [
        element('line', { x1: x, x2: x, y1: top, y2: bottom, stroke: log === 0 ? INK : GRID }),
        text(label, { x, y: top - 5, anchor: 'middle', fill: SOFT }),
      ];
    }),
  ];
}

const heightOf = ({ rows }: Group): number => Math.max(GROUP, rows.length * BAR);

function rowParts({ backend, found }: Row, y: number, { at }: Scale, fill: string): string[] {
  const note = { y: y + BAR - 3, size: 10, fill: SOFT };
  if (typeof found === 'string') return [text(`${backend}: ${found}`, { ...note, x: at(1) + 5, fill: INK })];
  const { ratio } = found;
  const [from, to] = [at(Math.min(1, ratio)), at(Math.max(1, ratio))];
  const value = `${ratio.toFixed(2)}\u00d7  ${seconds(found.seconds)} s`;
  const name = element('title', {}, `${backend}: ${value}`);
  return [
    element('rect', { x: from, y, width: Math.max(1, to - from), height: BAR - 2, fill }, [name]),
    text(value, { ...note, x: to + 5 }),
  ];
}

function groupParts(group: Group, top: number, scale: Scale, colour: (backend: string) => string): string[] {
  const { workload, rows } = group;
  const middle = top + heightOf(group) / 2;
  const first = middle - (rows.length * BAR) / 2;
  const parts = [
    text(workload.name, { x: LABELS - 10, y: middle - 2, size: 12, anchor: 'end', bold: true }),
    text(workload.title, { x: LABELS - 10, y: middle + 11, size: 10, anchor: 'end', fill: SOFT }),
    ...rows.flatMap((row, index) => rowParts(row, first + index * BAR, scale, colour(row.backend))),
  ];
  return [element('g', { id: workload.name }, parts)];
}

/** Returns the SVG. Workloads without a time on kernel overlayfs have no bars; it says how many there are. */
export function chartOf(report: Report): string {
  const backends = report.settings.backends.filter((name) => name !== KERNEL && name !== 'kernel-default');
  const timed = report.workloads.filter((workload) => (medianOf(workload, KERNEL) ?? 0) > 0);
  const groups = timed.map((workload) => ({ workload, rows: rowsOf(workload, backends) }));
  const colour = coloursOf(backends);
  const scale = scaleOf(groups);
  const head = legend(backends, colour);
  const top = head.end + AXIS;
  const bottom = groups.reduce((y, group) => y + GAP + heightOf(group), top) + GAP;
  const leftOut = report.workloads.length - timed.length;
  const foot =
    leftOut === 0 ? [] : [`Not shown, for want of a time on kernel overlayfs, workloads: ${String(leftOut)}`];
  const height = bottom + foot.length * LEGEND_LINE + MARGIN;
  const parts = [
    element('title', {}, 'Time of each workload relative to kernel overlayfs'),
    element('rect', { x: 0.5, y: 0.5, width: WIDTH - 1, height: height - 1, rx: 6, fill: '#ffffff', stroke: GRID }),
    ...headLines(report),
    ...head.parts,
    ...axis(scale, top, bottom),
  ];
  let y = top + GAP;
  for (const group of groups) {
    parts.push(...groupParts(group, y, scale, colour));
    y += heightOf(group) + GAP;
  }
  parts.push(...foot.map((line) => text(line, { x: MARGIN, y: bottom + LEGEND_LINE, fill: SOFT })));
  const size = { viewBox: `0 0 ${String(WIDTH)} ${String(height)}`, width: WIDTH, height };
  const root = { xmlns: 'http://www.w3.org/2000/svg', ...size, role: 'img', 'font-family': 'system-ui, sans-serif' };
  return `${element('svg', root, ['', ...parts, ''])}\n`;
}
