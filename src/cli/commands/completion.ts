import type { Command } from 'commander';
import { VeneerError } from '../../core/index.js';
import { completionScript, SHELLS } from '../completion.js';
import { addExamples } from '../examples.js';

export function configure(command: Command): void {
  command.argument('<shell>', SHELLS.join(', ')).action(async (shell: string) => {
    const script = await completionScript(shell);
    if (script === undefined) {
      throw new VeneerError('usage', `completion: unknown shell '${shell}'`, { hint: `one of ${SHELLS.join(', ')}` });
    }
    process.stdout.write(script);
  });
  addExamples(command, [
    ['source <(veneer completion bash)', 'in ~/.bashrc'],
    ['veneer completion zsh > ~/.zfunc/_veneer', 'in a directory of fpath'],
    ['veneer completion fish > ~/.config/fish/completions/veneer.fish', ''],
  ]);
}
