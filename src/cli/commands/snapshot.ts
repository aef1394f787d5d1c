import type { Command } from 'commander';
import { VeneerError } from '../../core/index.js';
import { addExamples } from '../examples.js';
import { writeLine } from '../output.js';
import { withStore } from '../store.js';

interface Options {
  readonly delete?: true;
  readonly pause?: boolean;
}

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] CONTAINER [NAME] | --delete CONTAINER NAME...')
    .argument('<container>', 'its name or ID')
    .argument('[name...]', 'what to call the snapshot: snapshot-1, snapshot-2, … by default')
    .option('-d, --delete', 'remove snapshots; what nothing else needs of them goes')
    .option('-p, --pause', 'hold a running container for the moment (the default)')
    .option('--no-pause', 'do not: files may be of different moments')
    .addHelpText(
      'after',
      `
The container goes on, and notices nothing. Nothing is copied, but for files that are open for writing. Volumes and other mounts are
not in it. 'veneer rollback' takes the container back to a snapshot, 'veneer branch' begins another container with it,
'veneer diff CONTAINER@SNAPSHOT CONTAINER' tells what changed since.`,
    )
    .action(async (container: string, names: string[], options: Options) => {
      const { removeSnapshot, snapshotContainer } = await import('../../container/index.js');
      const [name] = names;
      if (options.delete === true) {
        if (name === undefined) throw new VeneerError('usage', 'snapshot: name the snapshots to delete');
        await withStore(command, async (store) => {
          for (const one of names) {
            await removeSnapshot(store, container, one);
            writeLine(one);
          }
        });
        return;
      }
      if (names.length > 1) throw new VeneerError('usage', 'snapshot: one name');
      await withStore(command, async (store) => {
        const made = await snapshotContainer(store, container, { name, pause: options.pause });
        writeLine(made.name);
      });
    });
  addExamples(command, [
    ['veneer snapshot web before-upgrade', 'keep what it is now'],
    ['veneer snapshots web', 'what there is'],
    ['veneer rollback --force web before-upgrade', 'and back, even if it runs'],
    ['veneer snapshot -d web before-upgrade', 'forget it'],
  ]);
}
