import type { Command } from 'commander';
import { hasCode } from '../../core/index.js';
import { reportOptions } from '../context.js';
import { forEachName } from '../each.js';
import { addExamples } from '../examples.js';
import { report } from '../failure.js';
import { writeLine } from '../output.js';
import { withStore } from '../store.js';

export function configure(command: Command): void {
  command
    .argument('<container...>', 'names or IDs')
    .option('-f, --force', 'end it first if it runs or is mounted; what is not there is no failure')
    .option('-v, --volumes', 'with its volumes that have no name')
    .action(async (names: string[], { force, volumes }: { force?: true; volumes?: true }) => {
      const { removeContainer } = await import('../../container/index.js');
      await withStore(command, (store) =>
        forEachName(command, names, async (name) => {
          try {
            await removeContainer(store, name, { force: force === true, volumes: volumes === true });
            writeLine(name);
          } catch (error) {
            // As docker: scripts rely on it.
            if (force !== true || !hasCode(error, 'not-found')) throw error;
            report(error, reportOptions(command));
          }
        }),
      );
    });
  addExamples(command, [
    ['veneer rm work', 'remove a container and its changes'],
    ['veneer rm -f work', 'even if it runs or is mounted'],
    ['veneer rm -v work', 'with the volumes that were made for it'],
  ]);
}
