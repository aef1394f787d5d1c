import type { Command } from 'commander';
import { VeneerError } from '../../core/index.js';
import type { PortBinding } from '../../network/index.js';
import { collect } from '../arguments.js';
import { addExamples } from '../examples.js';
import { writeLine } from '../output.js';
import { parseSnapshotName } from '../snapshot-name.js';
import { withStore } from '../store.js';
import { warn } from '../warn.js';

interface Options {
  readonly snapshot?: string;
  readonly pause?: boolean;
  readonly start?: true;
  readonly publish?: string[];
}

async function parsePorts(words: readonly string[]): Promise<PortBinding[]> {
  const { parsePublish } = await import('../../network/index.js');
  try {
    return words.flatMap(parsePublish);
  } catch (cause) {
    if (!(cause instanceof VeneerError)) throw cause;
    const { message, hint } = cause;
    throw new VeneerError('usage', `--publish: ${message}`, { ...(hint === undefined ? {} : { hint }), cause });
  }
}

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] CONTAINER[@SNAPSHOT] [NAME]')
    .argument('<container>', 'its name or ID; with @SNAPSHOT, begin with that')
    .argument('[name]', 'what to call the new one: a made-up name by default')
    .option('-s, --snapshot <name>', 'begin with a snapshot of it, instead of its state at this moment')
    .option('--start', 'start it at once, by itself')
    .option(
      '-p, --publish <port>',
      '[[ADDRESS:]HOST_PORT:]PORT[/udp]: instead of the ports of the other one (may be repeated)',
      collect,
    )
    .option('--pause', 'hold a running container for the moment (the default)')
    .option('--no-pause', 'do not: files may be of different moments')
    .addHelpText(
      'after',
      `
The new container has the configuration of the other one and shares all data with it; each goes on by itself. The other one may
be running: its files are taken, not its processes. Volumes with a name and directories of the host are the same ones; of volumes
without a name it gets copies, as they are at this moment (a snapshot has none). A port of the host belongs to one of them at a time:
-p gives the new one another. Prints the ID.`,
    )
    .action(async (from: string, name: string | undefined, options: Options) => {
      const { snapshot: given, pause, start, publish } = options;
      const { container, snapshot } = parseSnapshotName(from, given);
      const { branchContainer, startContainer } = await import('../../container/index.js');
      const ports = publish === undefined ? undefined : await parsePorts(publish);
      await withStore(command, async (store) => {
        const { id } = await branchContainer(store, container, { name, snapshot, pause, ports });
        if (start === true) await startContainer(store, id, { onWarning: warn });
        writeLine(id);
      });
    });
  addExamples(command, [
    ['veneer branch web trial', 'a second container that begins where the first one is now'],
    ['veneer branch --start -p 8081:80 web trial', 'that runs beside it, at another port'],
    ['veneer branch web@before-upgrade old', 'one that begins with a snapshot'],
  ]);
}
