import type { Command } from 'commander';
import { collect } from '../arguments.js';
import { isConfirmed } from '../confirm.js';
import { addExamples } from '../examples.js';
import { booleanFilter, parseFilters } from '../filter.js';
import { prunedLabels, writePrunedVolumes, writeReclaimed } from '../prune.js';
import type { PruneOptions } from '../prune.js';
import { withStore } from '../store.js';

const question = (
  all: boolean,
): string => `WARNING! This will remove ${all ? 'all' : 'anonymous'} volumes that no container has.
Are you sure you want to continue?`;

export function configure(command: Command): void {
  command
    .option('-a, --all', 'those with a name, too')
    .option('-f, --force', 'do not ask')
    .option('--filter <name=value>', 'only volumes that meet this (may be repeated)', collect)
    .addHelpText(
      'after',
      `
Filters:
  label=KEY, label=KEY=VALUE  with a label
  label!=KEY[=VALUE]          without it
  all=true                    as --all
All that are named must be met.`,
    )
    .action(async ({ all: isAll, force, filter = [] }: PruneOptions) => {
      const filters = parseFilters(filter, ['label', 'label!', 'all']);
      const all = isAll === true || booleanFilter(filters, 'all') === true;
      const labels = prunedLabels(filters);
      if (!(await isConfirmed(question(all), force === true))) return;
      await withStore(command, (store) => {
        const pruned = store.volumes.prune({ all, labels });
        writePrunedVolumes(pruned);
        writeReclaimed(pruned.space);
      });
    });
  addExamples(command, [
    ['veneer volume prune', 'remove volumes without a name that no container has'],
    ['veneer volume prune -a -f', 'those with a name, too, without asking'],
    ['veneer volume prune -a --filter label!=keep', 'but for those with a label'],
  ]);
}
