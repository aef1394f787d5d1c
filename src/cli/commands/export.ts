import type { Command } from 'commander';
import { addExamples } from '../examples.js';
import { interruptible } from '../interruption.js';
import { ProgressBoard } from '../progress.js';
import { standardOutput } from '../standard-output.js';
import { withStore } from '../store.js';

interface Options {
  readonly output?: string;
  readonly quiet?: true;
}

export function configure(command: Command): void {
  command
    .argument('<name>', 'a container or an image: its name or ID')
    .option('-o, --output <file>', 'a file, rather than standard output')
    .option('-q, --quiet', 'no progress')
    .action(async (name: string, { output, quiet }: Options) => {
      const stdout = output === undefined || output === '-' ? standardOutput('export') : undefined;
      const { exportTree } = await import('../../container/index.js');
      const { writeOutputFile } = await import('../../transfer/index.js');
      using board = new ProgressBoard({ quiet });
      const line = board.line(name);
      await withStore(command, (store) =>
        interruptible(async (signal) => {
          const write = async (sink: (chunk: Uint8Array) => Promise<void>): Promise<void> => {
            await exportTree(store, name, { sink, signal, onProgress: (bytes) => line.update('Exporting', bytes) });
          };
          if (stdout !== undefined) await write(stdout);
          else await writeOutputFile(output ?? '', write);
        }),
      );
      line.end();
    });
  addExamples(command, [
    ['veneer export work -o work.tar', 'all a container shows, as one tar'],
    ['veneer export debian:12 | tar -x -C /srv/root', 'an image, unpacked elsewhere'],
    ['veneer export work | veneer import - flat', 'an image of one layer'],
  ]);
}
