import type { Command } from 'commander';
import { addExamples } from '../examples.js';
import { writeLine } from '../output.js';
import { withStore } from '../store.js';

interface Options {
  readonly keep: boolean;
}

export function configure(command: Command): void {
  command
    .argument('<container>', 'its name or ID')
    .argument('<snapshot>', 'the name of a snapshot of it')
    .option('--no-keep', 'throw away what changed since, instead of keeping it as a snapshot')
    .addHelpText(
      'after',
      `
The container must not be running or mounted: 'veneer branch' begins another container with a snapshot while it is.
What it was before is kept as the snapshot before-rollback-1, -2, …, whose name is printed. Snapshots made later stay as well.`,
    )
    .action(async (container: string, snapshot: string, { keep }: Options) => {
      const { rollbackContainer } = await import('../../container/index.js');
      await withStore(command, async (store) => {
        const { kept } = await rollbackContainer(store, container, snapshot, { keep });
        if (kept !== undefined) writeLine(kept);
      });
    });
  addExamples(command, [
    ['veneer rollback web before-upgrade', 'as if the upgrade had not been'],
    ['veneer rollback web before-rollback-1', 'on second thoughts'],
  ]);
}
