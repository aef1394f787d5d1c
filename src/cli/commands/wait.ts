import { Option } from 'commander';
import type { Command } from 'commander';
import type { WaitCondition } from '../../container/index.js';
import { forEachName } from '../each.js';
import { addExamples } from '../examples.js';
import { writeLine } from '../output.js';
import { withStore } from '../store.js';

const CONDITIONS = ['not-running', 'next-exit', 'removed'] as const satisfies readonly WaitCondition[];

export function configure(command: Command): void {
  command
    .argument('<container...>', 'names or IDs')
    .addOption(new Option('--condition <condition>', 'what to wait for').choices(CONDITIONS).default('not-running'))
    .action(async (names: string[], { condition }: { condition: WaitCondition }) => {
      const { waitContainer } = await import('../../container/index.js');
      await withStore(command, (store) =>
        forEachName(command, names, async (name) => {
          writeLine(String(await waitContainer(store, name, { condition })));
        }),
      );
    });
  addExamples(command, [
    ['veneer wait web', 'until it has ended; prints its exit code'],
    ['veneer wait --condition removed web', 'until it is gone'],
  ]);
}
