import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { VeneerError, formatSize } from '../../core/index.js';
import type { OperationRate, ServerRates } from '../../overlay/index.js';
import { addExamples } from '../examples.js';
import { formatTable, writeLine } from '../output.js';
import { withStore } from '../store.js';

interface Options {
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

async function watch(mountpoint: string, { interval, format }: Options): Promise<void> {
  const seconds = interval === undefined ? ONE_LOOK : secondsOf(interval);
  const { openStatistics, ratesBetween } = await import('../../overlay/index.js');
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

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] CONTAINER|DIR')
    .argument('<target>', 'a mounted container, or a directory where something of veneer is mounted')
    .option('--interval <seconds>', 'again and again, until the mount ends')
    .option('--format <format>', "'json': an object a line, times in microseconds")
    .addHelpText(
      'after',
      `
What the server of the mount does in a second, or in each interval: how often it is asked what, and how long it takes to answer.
What the kernel answers from its own caches does not reach the server. NAMES KNOWN: the share of names asked for that
were not searched for in the layers. NODES: files and directories that the kernel holds.`,
    )
    .action(async (target: string, options: Options) => {
      if (options.format !== undefined && options.format !== 'json')
        throw new VeneerError('usage', `stats: --format '${options.format}' is not json`);
      const { mountpointOf } = await import('../../container/index.js');
      const mountpoint = await withStore(command, (store) => mountpointOf(store, target));
      await watch(mountpoint, options);
    });
  addExamples(command, [
    ['veneer stats work', 'what the mount of a container does in one second'],
    ['veneer stats --interval 5 /mnt', 'every five seconds, for any mount of veneer'],
    ['veneer stats --format json /mnt', 'for programs'],
  ]);
}
