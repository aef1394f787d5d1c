import type { Command } from 'commander';
import { VeneerError } from '../../core/index.js';
import type { Store } from '../../store/index.js';
import { collect } from '../arguments.js';
import { addAttachOptions, attachOptions } from '../attach-options.js';
import type { AttachFlags } from '../attach-options.js';
import { parseFilters } from '../filter.js';
import { forEachName } from '../each.js';
import { addExamples } from '../examples.js';
import { writeLine } from '../output.js';
import { withStore } from '../store.js';
import { warn } from '../warn.js';

interface Options extends AttachFlags {
  readonly attach?: true;
  readonly interactive?: true;
  readonly all?: true;
  readonly filter?: string[];
}

/** The IDs of those that do not run, the oldest first: a later one may need an earlier one. */
async function chooseStopped(store: Store, filters: readonly string[]): Promise<string[]> {
  const { listContainers } = await import('../../container/index.js');
  const { CONTAINER_FILTERS, filterContainers } = await import('../container-filter.js');
  const chosen = filterContainers(store, listContainers(store), parseFilters(filters, CONTAINER_FILTERS));
  return chosen
    .filter(({ run }) => !['running', 'paused'].includes(run.status))
    .map(({ id }) => id)
    .reverse();
}

const needsOne = (): VeneerError =>
  new VeneerError('usage', 'start: name containers, or say --all', { hint: "see 'veneer start --help'" });

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] CONTAINER... | --all')
    .argument('[container...]', 'names or IDs')
    .option('-a, --attach', 'stay with it: its output, and its exit code')
    .option('-i, --interactive', 'stay with it, and pass standard input on to it')
    .option('--all', 'all that do not run')
    .option(
      '-f, --filter <name=value>',
      "with --all: only those that meet this, as 'veneer ps' (may be repeated)",
      collect,
    )
    .addHelpText(
      'after',
      `
No daemon starts containers when the host has booted: 'veneer start --all --filter should-start-on-boot=true' does, for those with
--restart always, and those with unless-stopped that nobody has stopped. Have it run by a service of the system's (see the README).`,
    );
  addAttachOptions(command).action(async (names: string[], options: Options) => {
    const { attach = false, interactive = false } = options;
    const attached = attachOptions(options);
    const [name = ''] = names;
    if ((options.all === true) === names.length > 0) throw needsOne();
    if (options.filter !== undefined && options.all !== true) {
      throw new VeneerError('usage', 'start: --filter goes with --all');
    }
    if ((attach || interactive) && options.all === true)
      throw new VeneerError('usage', 'start: --all attaches to none');
    if ((attach || interactive) && names.length > 1)
      throw new VeneerError('usage', 'one container can be attached to at a time');
    await withStore(command, async (store) => {
      if (attach || interactive) {
        const { startAttached } = await import('../start-attached.js');
        process.exitCode = await startAttached(store, name, { ...attached, stdin: interactive });
        return;
      }
      const { startContainer } = await import('../../container/index.js');
      const chosen = options.all === true ? await chooseStopped(store, options.filter ?? []) : names;
      await forEachName(command, chosen, async (each) => {
        await startContainer(store, each, { onWarning: warn });
        writeLine(each);
      });
    });
  });
  addExamples(command, [
    ['veneer start work', 'run its command, by itself'],
    ['veneer start -ai work', 'be its terminal again'],
    ['veneer start --all --filter should-start-on-boot=true', 'after the host has booted'],
  ]);
}
