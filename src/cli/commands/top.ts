import type { Command } from 'commander';
import { addExamples } from '../examples.js';
import { formatTable, writeRendered } from '../output.js';
import { withStore } from '../store.js';

export function configure(command: Command): void {
  command
    .usage('CONTAINER [PS OPTIONS]')
    .argument('<container>', 'one that runs: its name or ID')
    .argument('[ps-options...]', "what to give to the host's ps (default: -ef)")
    .passThroughOptions()
    .action(async (container: string, options: string[]) => {
      const { containerProcesses } = await import('../../container/index.js');
      await withStore(command, (store) => {
        const { titles, processes } = containerProcesses(store, container, options.length === 0 ? ['-ef'] : options);
        writeRendered(formatTable([titles, ...processes]));
      });
    });
  addExamples(command, [
    ['veneer top web', 'what runs in a container'],
    ['veneer top web -o pid,rss,args', 'in columns of your own'],
    ['veneer top web aux', 'as ps aux'],
  ]);
}
