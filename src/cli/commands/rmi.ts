import type { Command } from 'commander';
import { forEachName } from '../each.js';
import { addExamples } from '../examples.js';
import { writeLine } from '../output.js';
import { withStore } from '../store.js';

export function configure(command: Command): void {
  command
    .argument('<image...>', 'names or IDs')
    .option('-f, --force', 'an image with several names, too, when given by ID')
    .action(async (names: string[], { force }: { force?: true }) => {
      const { familiarReference, parseReference } = await import('../../image/index.js');
      await withStore(command, (store) =>
        forEachName(command, names, (name) => {
          const { untagged, deleted } = store.images.remove(name, { force: force === true });
          for (const reference of untagged) writeLine(`Untagged: ${familiarReference(parseReference(reference))}`);
          for (const digest of deleted) writeLine(`Deleted: ${digest}`);
        }),
      );
    });
  addExamples(command, [
    ['veneer rmi base:v1', 'remove a name, and with the last name the image'],
    ['veneer rmi -f 4f53cda18c2b', 'remove an image with all its names'],
  ]);
}
