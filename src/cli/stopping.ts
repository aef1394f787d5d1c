// What `stop` and `restart` have in common: how long a container may take to end, and what it is asked with.

import { Option } from 'commander';
import type { Command } from 'commander';
import type { Store } from '../store/index.js';
import { stopSeconds } from './arguments.js';
import { forEachName } from './each.js';
import { writeLine } from './output.js';
import { withStore } from './store.js';

interface Options {
  readonly timeout?: number;
  /** docker's older word. */
  readonly time?: number;
  readonly signal?: string;
}

export type StopContainer = (
  store: Store,
  name: string,
  options: { timeout?: number | undefined; signal?: string | undefined },
) => Promise<unknown>;

/** `load` gives what is done with each container. */
export function configureStopping(command: Command, load: () => Promise<StopContainer>): void {
  command
    .argument('<container...>', 'names or IDs')
    .addOption(new Option('--time <seconds>').argParser(stopSeconds).hideHelp())
    .option(
      '-t, --timeout <seconds>',
      'how long it may take before it is killed; -1: as long as it likes (default: 10)',
      stopSeconds,
    )
    .option('-s, --signal <signal>', "the signal to begin with (default: the image's, or TERM)")
    .action(async (names: string[], { timeout, time, signal }: Options) => {
      const act = await load();
      await withStore(command, (store) =>
        forEachName(command, names, async (name) => {
          await act(store, name, { timeout: timeout ?? time, signal });
          writeLine(name);
        }),
      );
    });
}
