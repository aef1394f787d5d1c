import type { Command } from 'commander';
import { VeneerError } from '../../core/index.js';
import { addExamples } from '../examples.js';

export function configure(command: Command): void {
  command
    .usage('[COMMAND [ARG...]]')
    .argument('[command...]', 'what to run (default: a shell)')
    .passThroughOptions()
    .action(async (words: readonly string[]) => {
      const { enterShell } = await import('../../rootless/index.js');
      if (process.geteuid?.() === 0) {
        throw new VeneerError('usage', 'unshare: root sees everything as it is', {
          hint: 'it is for plain users, and who is in a user namespace already',
        });
      }
      await enterShell(words.length);
    });
  command.addHelpText(
    'after',
    `
Containers of a plain user have their files and their mounts in a user namespace and a mount namespace of his, which every
command enters by itself. There, he is root, and files have the owners that containers see; outside, they belong to the
numbers that /etc/subuid gives him.`,
  );
  addExamples(command, [
    ['veneer unshare', 'a shell there'],
    [`veneer unshare sh -c 'ls -la "$(veneer mount work)"'`, "look at a container's files"],
    ['veneer unshare chown -R 33:33 data', 'give files to a user of a container'],
  ]);
}
