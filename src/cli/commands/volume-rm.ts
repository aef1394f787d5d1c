import type { Command } from 'commander';
import { forEachName } from '../each.js';
import { addExamples } from '../examples.js';
import { writeLine } from '../output.js';
import { withStore } from '../store.js';

export function configure(command: Command): void {
  command
    .argument('<volume...>', 'names')
    .option('-f, --force', 'no error for one that is not there')
    .action(async (names: string[], { force }: { force?: true }) => {
      await withStore(command, (store) =>
        forEachName(command, names, (name) => {
          if (force !== true || store.volumes.find(name) !== undefined) store.volumes.remove(name);
          writeLine(name);
          return Promise.resolve();
        }),
      );
    });
  addExamples(command, [['veneer volume rm data', 'remove a volume that no container has, with what is in it']]);
}
