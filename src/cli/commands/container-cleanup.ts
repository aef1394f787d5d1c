import type { Command } from 'commander';
import { forEachName } from '../each.js';
import { addExamples } from '../examples.js';
import { withStore } from '../store.js';

/** For conmon, which runs it when a container has ended. */
export function configure(command: Command): void {
  command.argument('<container...>', 'full IDs').action(async (ids: string[]) => {
    const { endByItself } = await import('../../container/index.js');
    await withStore(command, (store) => forEachName(command, ids, (id) => endByItself(store, id)));
  });
  addExamples(command, [['veneer container cleanup ID', 'take away what an ended container has left']]);
}
