import type { Command } from 'commander';
import { VeneerError } from '../../core/index.js';
import { forEachName } from '../each.js';
import { addExamples } from '../examples.js';
import { writeLine } from '../output.js';
import { withStore } from '../store.js';

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] CONTAINER|DIR...')
    .argument('[target...]', 'containers, or directories where something of veneer is mounted')
    .option('-a, --all', 'all mounted containers')
    .action(async (targets: string[], { all }: { all?: true }) => {
      if (targets.length === 0 && all !== true) {
        throw new VeneerError('usage', 'umount: name a container or a directory, or give --all');
      }
      const { listContainers, unmount } = await import('../../container/index.js');
      await withStore(command, (store) => {
        const mounted = all === true ? listContainers(store).filter(({ state }) => state === 'mounted') : [];
        return forEachName(command, [...targets, ...mounted.map(({ name }) => name)], async (target) => {
          await unmount(store, target);
          writeLine(target);
        });
      });
    });
  addExamples(command, [
    ['veneer umount work', 'un-mount a container; its changes stay'],
    ['veneer umount /mnt', 'un-mount whatever of veneer is mounted there'],
    ['veneer umount --all', 'un-mount all containers'],
  ]);
}
