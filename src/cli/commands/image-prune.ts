import type { Command } from 'commander';
import { collect } from '../arguments.js';
import { isConfirmed } from '../confirm.js';
import { addExamples } from '../examples.js';
import {
  DANGLING_WARNING,
  PRUNE_FILTERS_HELP,
  pruneFilters,
  UNUSED_WARNING,
  writePrunedImages,
  writeReclaimed,
} from '../prune.js';
import type { PruneOptions } from '../prune.js';
import { withStore } from '../store.js';

export function configure(command: Command): void {
  command
    .option('-a, --all', 'all images no container uses, not just those without a name')
    .option('-f, --force', 'do not ask')
    .option('--filter <name=value>', 'only images that meet this (may be repeated)', collect)
    .option('--dry-run', 'only say what would be removed')
    .addHelpText('after', PRUNE_FILTERS_HELP)
    .action(async (options: PruneOptions & { dryRun?: true }) => {
      const filters = pruneFilters(options.filter ?? []);
      const isDry = options.dryRun === true;
      const warning = `WARNING! This will remove ${options.all === true ? UNUSED_WARNING : DANGLING_WARNING}.`;
      const question = `${warning}\nAre you sure you want to continue?`;
      if (!(await isConfirmed(question, options.force === true || isDry))) return;
      await withStore(command, (store) => {
        const pruned = store.images.prune({ all: options.all === true, dryRun: isDry, ...filters });
        writePrunedImages(pruned);
        writeReclaimed(pruned.space);
      });
    });
  addExamples(command, [
    ['veneer image prune', 'remove images without a name, which no container uses'],
    ['veneer image prune -a --filter until=720h', 'those nobody uses that are older than 30 days'],
    ['veneer image prune -a --dry-run', 'what that would remove'],
    ['veneer image prune -f --filter label!=keep', 'without asking, but not those with a label'],
  ]);
}
