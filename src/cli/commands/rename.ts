import type { Command } from 'commander';
import { addExamples } from '../examples.js';
import { withStore } from '../store.js';

export function configure(command: Command): void {
  command
    .argument('<container>', 'its name or ID')
    .argument('<name>', 'the new name')
    .action(async (container: string, name: string) => {
      const { renameContainer } = await import('../../container/index.js');
      await withStore(command, (store) => {
        renameContainer(store, container, name);
      });
    });
  addExamples(command, [['veneer rename brave_hopper web', 'running or not']]);
}
