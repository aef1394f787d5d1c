import type { Command } from 'commander';
import type { Pruned, Store } from '../../store/index.js';
import { collect } from '../arguments.js';
import { isConfirmed } from '../confirm.js';
import { addExamples } from '../examples.js';
import { writeLine } from '../output.js';
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

function question({ all, filter = [] }: PruneOptions): string {
  const filters =
    filter.length === 0 ? [] : ['', '  Images will be filtered with:', ...filter.map((one) => `  - ${one}`)];
  return [
    'WARNING! This will remove:',
    '  - leftovers of commands that were interrupted',
    `  - ${all === true ? UNUSED_WARNING : DANGLING_WARNING}`,
    ...filters,
    '',
    'Are you sure you want to continue?',
  ].join('\n');
}

function writeLeftovers(removed: Pruned): void {
  const kinds = Object.entries(removed) as [string, readonly string[]][];
  if (kinds.every(([, names]) => names.length === 0)) return;
  writeLine('Deleted Leftovers:');
  for (const [kind, names] of kinds) for (const name of names) writeLine(`${kind.replace(/s$/, '')}: ${name}`);
  writeLine('');
}

const layerBytes = (store: Store): number => store.layers.list().reduce((sum, { size }) => sum + size, 0);

export function configure(command: Command): void {
  command
    .option('-a, --all', 'all images no container uses, not just those without a name')
    .option('-f, --force', 'do not ask')
    .option('--filter <name=value>', 'only images that meet this (may be repeated)', collect)
    .addHelpText(
      'after',
      `
Other than docker's, this never removes containers: what they hold is in no other place ('veneer container prune' does).
${PRUNE_FILTERS_HELP}`,
    )
    .action(async (options: PruneOptions) => {
      const filters = pruneFilters(options.filter ?? []);
      if (!(await isConfirmed(question(options), options.force === true))) return;
      await withStore(command, (store) => {
        const images = store.images.prune({ all: options.all === true, ...filters });
        writePrunedImages(images);
        const before = layerBytes(store);
        writeLeftovers(store.prune());
        writeReclaimed(images.space + before - layerBytes(store));
      });
    });
  addExamples(command, [
    ['veneer system prune', 'remove leftovers of interrupted commands, and images without a name'],
    ['veneer system prune -a -f', 'and all images no container uses, without asking'],
    ['veneer system df', 'what there is to gain'],
  ]);
}
