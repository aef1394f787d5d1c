import type { Command } from 'commander';
import { forEachName } from '../each.js';
import { addExamples } from '../examples.js';
import { writeLine } from '../output.js';
import { withStore } from '../store.js';

interface Options {
  readonly signal: string;
}

export function configure(command: Command): void {
  command
    .argument('<container...>', 'names or IDs')
    .option('-s, --signal <signal>', 'by its name or number', 'KILL')
    .action(async (names: string[], options: Options) => {
      const { killContainer } = await import('../../container/index.js');
      await withStore(command, (store) =>
        forEachName(command, names, async (name) => {
          await killContainer(store, name, options.signal);
          writeLine(name);
        }),
      );
    });
  addExamples(command, [
    ['veneer kill web', 'end it at once'],
    ['veneer kill -s HUP web', 'send another signal'],
  ]);
}
