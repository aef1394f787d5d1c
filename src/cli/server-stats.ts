// `stats --server`: what the server of a mount does.

import { setTimeout as sleep } from 'node:timers/promises';
import { VeneerError, formatSize } from '../core/index.js';
import type { OperationRate, ServerRates } from '../overlay/index.js';
import { formatTable, writeLine } from './output.js';

export interface ServerStatsOptions {
  readonly interval?: string;
  readonly format?: string;
}

/** Seconds of a single look. */
const ONE_LOOK = 1;

function microseconds(value: number): string {
  if (value < 1000) return `${value.toFixed(value < 10 ? 1 : 0)}us`;
  return value < 1e6 ? `${(value / 1000).toFixed(1)}ms` : `${(value / 1e6).toFixed(1)}s`;
}

function operationCells({ operation, perSecond, mean, p50, p90, p99, max, errors }: OperationRate): string[] {
  const times = [mean, p50, p90, p99, max].map(microseconds);
  return [operation, perSecond.toFixed(perSecond < 10 ? 1 : 0), ...times, String(errors)];
}

function tableOf({ perSecond, names, nodes, memory, processor, operations }: ServerRates): string {
  const asked = names.known + names.searched;
  const summary = formatTable([
    ['REQUESTS/S', 'NAMES KNOWN', 'NODES', 'MEMORY', 'CPU'],
    [
      perSecond.toFixed(0),
      asked === 0 ? '-' : `${((100 * names.known) / asked).toFixed(1)}%`,
      String(nodes),
      formatSize(memory.proportional),
      `${(100 * processor).toFixed(1)}%`,
    ],
  ]);
  if (operations.length === 0) return summary;
  const head = ['OPERATION', 'PER SECOND', 'MEAN', 'P50', 'P90', 'P99', 'MAX', 'ERRORS'];
  return `${summary}\n${formatTable([head, ...operations.map(operationCells)])}`;
}

function secondsOf(text: string): number {
  const seconds = Number(text);
  if (!(seconds >= 0.1 && seconds <= 3600)) {
    throw new VeneerError('usage', `stats: --interval '${text}' is not a number of seconds from 0.1 to 3600`);
  }
  return seconds;
}

/** Prints what the server does, once or in intervals, until its mount ends. Throws `usage`. */
export async function watchServer(mountpoint: string, { interval, format }: ServerStatsOptions): Promise<void> {
  const seconds = interval === undefined ? ONE_LOOK : secondsOf(interval);
  const { openStatistics, ratesBetween } = await import('../overlay/index.js');
  using connection = await openStatistics(mountpoint);
  let before = await connection.take();
  for (let first = true; before !== undefined; first = false) {
    await sleep(seconds * 1000);
    const after = await connection.take();
    if (after === undefined) return;
    const rates = ratesBetween(before, after);
    if (format === 'json') writeLine(JSON.stringify({ mountpoint, ...rates }));
    else process.stdout.write(`${first ? '' : '\n'}${tableOf(rates)}`);
    if (interval === undefined) return;
    before = after;
  }
}
