import type { Command } from 'commander';
import { hasCode } from '../../core/index.js';
import { reportOptions } from '../context.js';
import { addExamples } from '../examples.js';
import { report } from '../failure.js';
import { writeLine } from '../output.js';
import { withStore } from '../store.js';

interface Options {
  readonly force?: true;
}

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] IMAGE...')
    .argument('<image...>', 'names, names with a digest, or IDs')
    .option(
      '-f, --force',
      'an image with several names, too, when given by ID; the name of an image that a container uses',
    )
    .option('--no-prune', 'for those used to typing it: there are no parents without a name')
    .action(async (names: string[], { force }: Options) => {
      const { familiarReference, parseReference } = await import('../../image/index.js');
      await withStore(command, (store) => {
        for (const name of names) {
          try {
            const { untagged, deleted } = store.images.remove(name, { force: force === true });
            for (const reference of untagged) writeLine(`Untagged: ${familiarReference(parseReference(reference))}`);
            for (const digest of deleted) writeLine(`Deleted: ${digest}`);
          } catch (error) {
            const code = report(error, reportOptions(command));
            // As docker: what is not there is removed, as far as --force is concerned.
            if (force !== true || !hasCode(error, 'not-found')) process.exitCode = code;
          }
        }
      });
    });
  addExamples(command, [
    ['veneer rmi base:v1', 'remove a name, and with the last name the image'],
    ['veneer rmi -f 4f53cda18c2b', 'remove an image with all its names'],
    ['veneer rmi $(veneer images -q --filter dangling=true)', 'remove all images without a name'],
  ]);
}
