import type { Command } from 'commander';
import { addExamples } from '../examples.js';
import { writeLine } from '../output.js';
import { parseSnapshotName } from '../snapshot-name.js';
import { withStore } from '../store.js';

interface Options {
  readonly snapshot?: string;
  readonly pause?: boolean;
}

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] CONTAINER[@SNAPSHOT] [NAME]')
    .argument('<container>', 'its name or ID; with @SNAPSHOT, begin with that')
    .argument('[name]', 'what to call the new one: a made-up name by default')
    .option('-s, --snapshot <name>', 'begin with a snapshot of it, instead of its state at this moment')
    .option('-p, --pause', 'hold a running container for the moment (the default)')
    .option('--no-pause', 'do not: files may be of different moments')
    .addHelpText(
      'after',
      `
The new container has the configuration of the other one and shares all data with it; each goes on by itself. The other one may
be running: its files are taken, not its processes. Volumes with a name and directories of the host are the same ones; of volumes
without a name it gets copies, as they are at this moment (a snapshot has none). Prints the ID.`,
    )
    .action(async (from: string, name: string | undefined, { snapshot: given, pause }: Options) => {
      const { container, snapshot } = parseSnapshotName(from, given);
      const { branchContainer } = await import('../../container/index.js');
      await withStore(command, async (store) => {
        const { id } = await branchContainer(store, container, { name, snapshot, pause });
        writeLine(id);
      });
    });
  addExamples(command, [
    ['veneer branch web trial', 'a second container that begins where the first one is now'],
    ['veneer branch web@before-upgrade old', 'one that begins with a snapshot'],
  ]);
}
