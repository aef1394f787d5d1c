import type { Command } from 'commander';
import { forEachName } from '../each.js';
import { addExamples } from '../examples.js';
import { writeLine } from '../output.js';
import { withStore } from '../store.js';
import { warn } from '../warn.js';

export function configure(command: Command): void {
  command.argument('<container...>', 'names or IDs').action(async (names: string[]) => {
    const { startContainer } = await import('../../container/index.js');
    await withStore(command, (store) =>
      forEachName(command, names, async (name) => {
        await startContainer(store, name, { onWarning: warn });
        writeLine(name);
      }),
    );
  });
  addExamples(command, [['veneer start work', 'run its command, by itself']]);
}
