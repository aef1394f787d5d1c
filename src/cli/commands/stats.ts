import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { VeneerError } from '../../core/index.js';
import type { ContainerRecord, Store } from '../../store/index.js';
import { addExamples } from '../examples.js';
import { FORMAT_HELP, listingText, writeRendered } from '../output.js';
import { withStore } from '../store.js';

interface Options {
  readonly all?: true;
  /** commander's form of --no-stream. */
  readonly stream: boolean;
  readonly trunc: boolean;
  readonly format?: string;
  readonly server?: true;
  readonly interval?: string;
}

/** Milliseconds between two looks. */
const INTERVAL = 1000;
/** As docker does: the whole screen anew (ECMA-48, ED and CUP). */
const CLEAR = '\x1b[2J\x1b[H';

async function watch(store: Store, names: readonly string[], options: Options): Promise<void> {
  const { USAGE_LISTING, UsageTable } = await import('../usage-table.js');
  // Named ones are followed by their IDs: a name may go over to another.
  const ids = names.map((name) => store.containers.resolve(name).id);
  const records = (): ContainerRecord[] => {
    const all = store.containers.list();
    if (ids.length === 0) return all;
    return ids.flatMap((id) => all.find((record) => record.id === id) ?? []);
  };
  const table = new UsageTable(store, { isWhole: !options.trunc });
  const rules = { all: options.all === true || ids.length > 0 };
  const look = (): string => {
    const format = options.format === undefined ? {} : { format: options.format };
    return listingText(table.look(records(), rules), USAGE_LISTING, format);
  };
  look();
  do {
    await sleep(INTERVAL);
    const text = look();
    if (options.stream && process.stdout.isTTY) process.stdout.write(CLEAR);
    writeRendered(text);
  } while (options.stream);
}

async function showServer(store: Store, names: readonly string[], options: Options): Promise<void> {
  const [target, another] = names;
  if (target === undefined || another !== undefined) {
    throw new VeneerError('usage', 'stats --server: name one container or directory');
  }
  if (options.format !== undefined && options.format !== 'json') {
    throw new VeneerError('usage', `stats: --format '${options.format}' is not json`);
  }
  const { mountpointOf } = await import('../../container/index.js');
  const { watchServer } = await import('../server-stats.js');
  await watchServer(mountpointOf(store, target), options);
}

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] [CONTAINER...]\n       veneer stats --server [OPTIONS] CONTAINER|DIR')
    .argument('[container...]', 'names or IDs; without them, all that run')
    .option('-a, --all', 'those that do not run, too')
    .option('--no-stream', 'one look, not again and again')
    .option('--no-trunc', 'whole IDs')
    .option('--format <format>', FORMAT_HELP)
    .option('--server', 'what the server of the mount of a container, or of a directory, does')
    .option('--interval <seconds>', 'with --server: again and again, until the mount ends')
    .addHelpText(
      'after',
      `
CPU %: of one processor, in the last second; two that are busy are 200%. MEM USAGE: without files that nobody has read lately.

Fields for --format: .ID .Name .Container .CPUPerc .MemUsage .MemPerc .NetIO .BlockIO .PIDs

--server: how often the server of a mount is asked what in a second, or in each interval, and how long it takes to answer.
What the kernel answers from its own caches does not reach it. NAMES KNOWN: the share of names asked for that were not
searched for in the layers. NODES: files and directories that the kernel holds. --format json: times in microseconds.`,
    )
    .action(async (names: string[], options: Options) => {
      // No container is called that.
      const isServer = options.server === true || names.some((name) => name.includes('/'));
      if (!isServer && options.interval !== undefined) {
        throw new VeneerError('usage', 'stats: --interval is for --server');
      }
      await withStore(command, (store) =>
        isServer ? showServer(store, names, options) : watch(store, names, options),
      );
    });
  addExamples(command, [
    ['veneer stats', 'what all running containers use, every second'],
    ['veneer stats --no-stream web', 'one of them, once'],
    ["veneer stats --format '{{.Name}} {{.MemUsage}}'", 'in a form of your own'],
    ['veneer stats --server web', 'what the mount of a container does in one second'],
    ['veneer stats --server --interval 5 /mnt', 'every five seconds, for any mount of veneer'],
  ]);
}
