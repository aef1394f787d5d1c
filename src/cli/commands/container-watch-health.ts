import type { Command } from 'commander';
import { addExamples } from '../examples.js';
import { withStore } from '../store.js';

/** For the start of a container that has health checks. */
export function configure(command: Command): void {
  command.argument('<container>', 'a full ID').action(async (id: string) => {
    const { watchHealth } = await import('../../container/index.js');
    await withStore(command, (store) => watchHealth(store, id));
  });
  addExamples(command, [['veneer container watch-health ID', 'check it until it ends']]);
}
