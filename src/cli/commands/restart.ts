import { Option } from 'commander';
import type { Command } from 'commander';
import { stopSeconds as seconds } from '../arguments.js';
import { forEachName } from '../each.js';
import { addExamples } from '../examples.js';
import { writeLine } from '../output.js';
import { withStore } from '../store.js';

interface Options {
  readonly timeout?: number;
  /** docker's older word. */
  readonly time?: number;
  readonly signal?: string;
}

export function configure(command: Command): void {
  command
    .argument('<container...>', 'names or IDs')
    .addOption(new Option('--time <seconds>').argParser(seconds).hideHelp())
    .option(
      '-t, --timeout <seconds>',
      'how long it may take before it is killed; -1: as long as it likes (default: 10)',
      seconds,
    )
    .option('-s, --signal <signal>', "the signal to begin with (default: the image's, or TERM)")
    .action(async (names: string[], options: Options) => {
      const { restartContainer } = await import('../../container/index.js');
      await withStore(command, (store) =>
        forEachName(command, names, async (name) => {
          await restartContainer(store, name, { timeout: options.timeout ?? options.time, signal: options.signal });
          writeLine(name);
        }),
      );
    });
  addExamples(command, [['veneer restart web', 'stop it and start it again']]);
}
