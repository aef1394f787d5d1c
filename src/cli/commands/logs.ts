import type { Command } from 'commander';
import { parseCount } from '../arguments.js';
import { addExamples } from '../examples.js';
import { withStore } from '../store.js';
import { parseTimePoint } from '../time-point.js';

interface Options {
  readonly follow?: true;
  readonly tail?: string;
  readonly since?: string;
  readonly until?: string;
  readonly timestamps?: true;
  readonly names?: true;
}

/** docker takes -1 and all for everything. */
function parseTail(text: string | undefined): number | undefined {
  return text === undefined || text === 'all' || text === '-1' ? undefined : parseCount('--tail', text, 0);
}

export function configure(command: Command): void {
  command
    .argument('<container...>', 'names or IDs; of several, each line begins with whose it is')
    .option('-f, --follow', 'go on until it ends')
    .option('-n, --tail <lines>', 'only so many lines at the end')
    .option('--since <time>', "only what is newer: '10m', '2024-05-01T12:00:00', or seconds since 1970")
    .option('--until <time>', 'only what is older')
    .option('-t, --timestamps', 'begin each line with its time')
    .option('--names', 'begin each line with the name of its container')
    .option('--details', 'accepted, as docker has it')
    .action(async (names: string[], options: Options) => {
      const { since, until } = options;
      const choice = {
        tail: parseTail(options.tail),
        since: since === undefined ? undefined : parseTimePoint(since),
        until: until === undefined ? undefined : parseTimePoint(until),
        follow: options.follow === true,
      };
      const { printLogs } = await import('../print-logs.js');
      await withStore(command, (store) =>
        printLogs(store, names, {
          ...choice,
          timestamps: options.timestamps === true,
          named: options.names === true || names.length > 1,
        }),
      );
    });
  addExamples(command, [
    ['veneer logs web', 'what it has written'],
    ['veneer logs -f -n 10 web', 'the last ten lines, and what comes'],
    ['veneer logs --since 10m -t web db', 'of two containers, with times'],
  ]);
}
