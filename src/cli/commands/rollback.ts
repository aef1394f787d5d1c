import type { Command } from 'commander';
import { VeneerError } from '../../core/index.js';
import { stopSeconds } from '../arguments.js';
import { addExamples } from '../examples.js';
import { writeLine } from '../output.js';
import { parseSnapshotName } from '../snapshot-name.js';
import { withStore } from '../store.js';

interface Options {
  readonly keep: boolean;
  readonly force?: true;
  readonly timeout?: number;
}

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] CONTAINER SNAPSHOT | CONTAINER@SNAPSHOT')
    .argument('<container>', 'its name or ID')
    .argument('[snapshot]', 'the name of a snapshot of it')
    .option('--no-keep', 'throw away what changed since, instead of keeping it as a snapshot')
    .option('-f, --force', 'if it runs or is mounted: stop it before, and start it again')
    .option('-t, --timeout <seconds>', 'with --force: how long it may take to end (default: 10)', stopSeconds)
    .addHelpText(
      'after',
      `
The container must not be running or mounted, but with --force. 'veneer branch CONTAINER@SNAPSHOT' begins another container with a snapshot,
and leaves this one alone.
What it was before is kept as the snapshot before-rollback-1, -2, …, whose name is printed. Snapshots made later stay as well.
What is in volumes and in directories of the host is not touched.`,
    )
    .action(async (from: string, given: string | undefined, { keep, force, timeout }: Options) => {
      const { container, snapshot } = parseSnapshotName(from, given);
      if (snapshot === undefined) {
        throw new VeneerError('usage', `rollback: to which snapshot of ${container}?`, {
          hint: `veneer snapshots ${container}`,
        });
      }
      const { rollbackContainer } = await import('../../container/index.js');
      await withStore(command, async (store) => {
        const { kept } = await rollbackContainer(store, container, snapshot, { keep, force: force === true, timeout });
        if (kept !== undefined) writeLine(kept);
      });
    });
  addExamples(command, [
    ['veneer rollback web before-upgrade', 'as if the upgrade had not been'],
    ['veneer rollback --force web before-upgrade', 'while it runs: it is stopped, taken back, and started again'],
    ['veneer rollback web before-rollback-1', 'on second thoughts'],
  ]);
}
