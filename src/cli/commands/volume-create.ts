import type { Command } from 'commander';
import { VeneerError } from '../../core/index.js';
import { newVolumeName } from '../../store/index.js';
import { collect, parseLabels } from '../arguments.js';
import { OTHER_FILES } from '../mount-options.js';
import { addExamples } from '../examples.js';
import { writeLine } from '../output.js';
import { withStore } from '../store.js';

interface Options {
  readonly driver?: string;
  readonly label?: string[];
  readonly opt?: string[];
}

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] [VOLUME]')
    .argument('[volume]', 'its name (default: a made-up one)')
    .option('-d, --driver <driver>', "'local' is all there is")
    .option('-o, --opt <name=value>', "options of a driver: 'local' takes none", collect)
    .option('--label <key=value>', 'a label (may be repeated)', collect)
    .action(async (name: string | undefined, { driver = 'local', label = [], opt = [] }: Options) => {
      if (driver !== 'local') throw new VeneerError('usage', `--driver '${driver}': there is no other than 'local'`);
      const [option] = opt;
      if (option !== undefined) {
        throw new VeneerError('usage', `--opt '${option}': the driver 'local' takes no options`, { hint: OTHER_FILES });
      }
      const volume = { name: name ?? newVolumeName(), labels: parseLabels(label) };
      await withStore(command, (store) => {
        writeLine(store.volumes.create({ ...volume, isAnonymous: name === undefined }).name);
      });
    });
  addExamples(command, [
    ['veneer volume create data', 'a volume; -v data:/srv gives it to a container'],
    ['veneer volume create --label use=test data', 'with a label'],
  ]);
}
