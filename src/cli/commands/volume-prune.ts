import type { Command } from 'commander';
import { treeSize } from '../../store/index.js';
import { isConfirmed } from '../confirm.js';
import { addExamples } from '../examples.js';
import { writeLine } from '../output.js';
import { writeReclaimed } from '../prune.js';
import { withStore } from '../store.js';

const question = (
  all: boolean,
): string => `WARNING! This will remove ${all ? 'all' : 'anonymous'} volumes that no container has.
Are you sure you want to continue?`;

export function configure(command: Command): void {
  command
    .option('-a, --all', 'those with a name, too')
    .option('-f, --force', 'do not ask')
    .action(async ({ all, force }: { all?: true; force?: true }) => {
      if (!(await isConfirmed(question(all === true), force === true))) return;
      await withStore(command, (store) => {
        const chosen = store.volumes
          .list()
          .filter(({ name, isAnonymous }) => (all === true || isAnonymous) && store.volumes.users(name).length === 0);
        if (chosen.length > 0) writeLine('Deleted Volumes:');
        let space = 0;
        for (const { name } of chosen) {
          space += treeSize(store.volumes.path(name));
          store.volumes.remove(name);
          writeLine(name);
        }
        if (chosen.length > 0) writeLine('');
        writeReclaimed(space);
      });
    });
  addExamples(command, [
    ['veneer volume prune', 'remove volumes without a name that no container has'],
    ['veneer volume prune -a -f', 'those with a name, too, without asking'],
  ]);
}
