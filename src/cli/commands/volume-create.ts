import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import { VeneerError } from '../../core/index.js';
import { collect, parseLabels } from '../arguments.js';
import { addExamples } from '../examples.js';
import { writeLine } from '../output.js';
import { withStore } from '../store.js';

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] [VOLUME]')
    .argument('[volume]', 'its name (default: a made-up one)')
    .option('-d, --driver <driver>', "'local' is all there is")
    .option('--label <key=value>', 'a label (may be repeated)', collect)
    .action(
      async (name: string | undefined, { driver = 'local', label = [] }: { driver?: string; label?: string[] }) => {
        if (driver !== 'local') throw new VeneerError('usage', `--driver '${driver}': there is no other than 'local'`);
        const volume = { name: name ?? randomBytes(32).toString('hex'), labels: parseLabels(label) };
        await withStore(command, (store) => {
          writeLine(store.volumes.create({ ...volume, isAnonymous: name === undefined }).name);
        });
      },
    );
  addExamples(command, [
    ['veneer volume create data', 'a volume; -v data:/srv gives it to a container'],
    ['veneer volume create --label use=test data', 'with a label'],
  ]);
}
