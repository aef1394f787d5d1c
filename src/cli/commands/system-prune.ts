import type { Command } from 'commander';
import { addExamples } from '../examples.js';
import { writeLine } from '../output.js';
import { withStore } from '../store.js';

export function configure(command: Command): void {
  command
    .option('-f, --force', 'do not ask (nothing is asked: only what no name leads to is removed)')
    .action(async () => {
      const removed = await withStore(command, (store) => store.prune());
      for (const [kind, names] of Object.entries(removed) as [string, readonly string[]][]) {
        for (const name of names) writeLine(`Deleted ${kind.replace(/s$/, '')}: ${name}`);
      }
    });
  addExamples(command, [['veneer system prune', 'remove leftovers of interrupted commands and unused layers']]);
}
