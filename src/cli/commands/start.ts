import type { Command } from 'commander';
import { VeneerError } from '../../core/index.js';
import { addAttachOptions, attachOptions } from '../attach-options.js';
import type { AttachFlags } from '../attach-options.js';
import { forEachName } from '../each.js';
import { addExamples } from '../examples.js';
import { writeLine } from '../output.js';
import { withStore } from '../store.js';
import { warn } from '../warn.js';

interface Options extends AttachFlags {
  readonly attach?: true;
  readonly interactive?: true;
}

export function configure(command: Command): void {
  command
    .argument('<container...>', 'names or IDs')
    .option('-a, --attach', 'stay with it: its output, and its exit code')
    .option('-i, --interactive', 'stay with it, and pass standard input on to it');
  addAttachOptions(command).action(async (names: string[], options: Options) => {
    const { attach = false, interactive = false } = options;
    const attached = attachOptions(options);
    const [name = ''] = names;
    if ((attach || interactive) && names.length > 1)
      throw new VeneerError('usage', 'one container can be attached to at a time');
    await withStore(command, async (store) => {
      if (attach || interactive) {
        const { startAttached } = await import('../start-attached.js');
        process.exitCode = await startAttached(store, name, { ...attached, stdin: interactive });
        return;
      }
      const { startContainer } = await import('../../container/index.js');
      await forEachName(command, names, async (each) => {
        await startContainer(store, each, { onWarning: warn });
        writeLine(each);
      });
    });
  });
  addExamples(command, [
    ['veneer start work', 'run its command, by itself'],
    ['veneer start -ai work', 'be its terminal again'],
  ]);
}
