import type { Command } from 'commander';
import { forEachName } from '../each.js';
import { addExamples } from '../examples.js';
import { writeLine } from '../output.js';
import { withStore } from '../store.js';

export function configure(command: Command): void {
  command.argument('<container...>', 'names or IDs').action(async (names: string[]) => {
    const { pauseContainer } = await import('../../container/index.js');
    await withStore(command, (store) =>
      forEachName(command, names, async (name) => {
        await pauseContainer(store, name);
        writeLine(name);
      }),
    );
  });
  addExamples(command, [['veneer pause web', 'hold all its processes']]);
}
