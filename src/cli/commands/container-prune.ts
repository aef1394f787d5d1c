import type { Command } from 'commander';
import { hasCode } from '../../core/index.js';
import { meetsLabels } from '../../store/index.js';
import { collect } from '../arguments.js';
import { isConfirmed } from '../confirm.js';
import { forEachName } from '../each.js';
import { addExamples } from '../examples.js';
import { writeLine } from '../output.js';
import { PRUNE_FILTERS_HELP, pruneFilters, writeReclaimed } from '../prune.js';
import type { PruneOptions } from '../prune.js';
import { withStore } from '../store.js';

const QUESTION = `WARNING! This will remove all containers that do not run and are not mounted, with the changes in them.
Are you sure you want to continue?`;

export function configure(command: Command): void {
  command
    .option('-f, --force', 'do not ask')
    .option('--filter <name=value>', 'only containers that meet this (may be repeated)', collect)
    .addHelpText('after', PRUNE_FILTERS_HELP)
    .action(async (options: PruneOptions) => {
      const { until, labels = [] } = pruneFilters(options.filter ?? []);
      if (!(await isConfirmed(QUESTION, options.force === true))) return;
      const { containerSize, listContainers, removeContainer } = await import('../../container/index.js');
      const { isUp } = await import('../container-status.js');
      await withStore(command, async (store) => {
        const chosen = listContainers(store).filter(
          (container) =>
            !isUp(container) &&
            (until === undefined || container.created <= until) &&
            meetsLabels(container.labels, labels),
        );
        if (chosen.length > 0) writeLine('Deleted Containers:');
        let space = 0;
        await forEachName(
          command,
          chosen.map(({ id }) => id),
          async (id) => {
            try {
              const { writable } = containerSize(store, id);
              await removeContainer(store, id, {});
              space += writable;
              writeLine(id);
            } catch (error) {
              // Since it was chosen somebody has removed it, or uses it.
              if (!hasCode(error, 'not-found') && !hasCode(error, 'in-use')) throw error;
            }
          },
        );
        if (chosen.length > 0) writeLine('');
        writeReclaimed(space);
      });
    });
  addExamples(command, [
    ['veneer container prune', 'remove all containers that do not run'],
    ['veneer container prune -f --filter until=24h', 'those older than a day, without asking'],
  ]);
}
