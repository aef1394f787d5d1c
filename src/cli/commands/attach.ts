import type { Command } from 'commander';
import { addAttachOptions, attachOptions } from '../attach-options.js';
import type { AttachFlags } from '../attach-options.js';
import { addExamples } from '../examples.js';
import { withStore } from '../store.js';

/** `--no-stdin`. */
type Options = AttachFlags & { readonly stdin: boolean };

export function configure(command: Command): void {
  command
    .argument('<container>', 'its name or ID')
    .option('--no-stdin', 'show what it writes, and type nothing into it');
  addAttachOptions(command).action(async (name: string, options: Options) => {
    const attached = attachOptions(options);
    const { attachToContainer } = await import('../attach-to-container.js');
    await withStore(command, async (store) => {
      process.exitCode = await attachToContainer(store, name, { ...attached, stdin: options.stdin });
    });
  });
  addExamples(command, [
    ['veneer attach work', 'be its terminal; ^P^Q leaves it running'],
    ['veneer attach --no-stdin web', 'watch it'],
  ]);
}
