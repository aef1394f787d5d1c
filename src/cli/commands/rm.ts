import type { Command } from 'commander';
import { forEachName } from '../each.js';
import { addExamples } from '../examples.js';
import { writeLine } from '../output.js';
import { withStore } from '../store.js';

export function configure(command: Command): void {
  command
    .argument('<container...>', 'names or IDs')
    .option('-f, --force', 'un-mount it first if it is mounted')
    .action(async (names: string[], { force }: { force?: true }) => {
      const { removeContainer } = await import('../../container/index.js');
      await withStore(command, (store) =>
        forEachName(command, names, async (name) => {
          await removeContainer(store, name, { force: force === true });
          writeLine(name);
        }),
      );
    });
  addExamples(command, [
    ['veneer rm work', 'remove a container and its changes'],
    ['veneer rm -f work', 'even if it is mounted'],
  ]);
}
