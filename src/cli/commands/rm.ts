import type { Command } from 'commander';
import { forEachName } from '../each.js';
import { addExamples } from '../examples.js';
import { writeLine } from '../output.js';
import { withStore } from '../store.js';

export function configure(command: Command): void {
  command
    .argument('<container...>', 'names or IDs')
    .option('-f, --force', 'kill it first if it runs, un-mount it if it is mounted')
    .option('-v, --volumes', 'and its volumes without a name')
    .action(async (names: string[], { force, volumes }: { force?: true; volumes?: true }) => {
      const { removeContainer } = await import('../../container/index.js');
      await withStore(command, (store) =>
        forEachName(command, names, async (name) => {
          await removeContainer(store, name, { force: force === true, volumes: volumes === true });
          writeLine(name);
        }),
      );
    });
  addExamples(command, [
    ['veneer rm work', 'remove a container and its changes'],
    ['veneer rm -f work', 'even if it runs or is mounted'],
    ['veneer rm -v work', 'with the volumes that were made for it'],
  ]);
}
