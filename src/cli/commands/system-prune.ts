import type { Command } from 'commander';
import { VeneerError } from '../../core/index.js';
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
  writePrunedVolumes,
  writeReclaimed,
} from '../prune.js';
import type { PruneOptions } from '../prune.js';
import { withStore } from '../store.js';

interface Options extends PruneOptions {
  readonly volumes?: true;
}

function question({ all, volumes, filter = [] }: Options): string {
  const filters =
    filter.length === 0
      ? []
      : [
          '',
          `  ${volumes === true ? 'Images and volumes' : 'Images'} will be filtered with:`,
          ...filter.map((one) => `  - ${one}`),
        ];
  return [
    'WARNING! This will remove:',
    '  - leftovers of commands that were interrupted',
    ...(volumes === true ? ['  - all anonymous volumes that no container has'] : []),
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
    .option('--volumes', 'also volumes without a name that no container has')
    .option('--filter <name=value>', 'only images, and volumes, that meet this (may be repeated)', collect)
    .addHelpText(
      'after',
      `
Other than docker's, this never removes containers, nor the volumes of those that do not run: what they hold is in no other place ('veneer container prune' does).
${PRUNE_FILTERS_HELP}`,
    )
    .action(async (options: Options) => {
      const filters = pruneFilters(options.filter ?? []);
      if (options.volumes === true && filters.until !== undefined) {
        throw new VeneerError('usage', "system prune: the filter 'until' is not for --volumes");
      }
      if (!(await isConfirmed(question(options), options.force === true))) return;
      await withStore(command, (store) => {
        const images = store.images.prune({ all: options.all === true, ...filters });
        writePrunedImages(images);
        const volumes = options.volumes === true ? store.volumes.prune({ labels: filters.labels }) : undefined;
        if (volumes !== undefined) writePrunedVolumes(volumes);
        const before = layerBytes(store);
        writeLeftovers(store.prune());
        writeReclaimed(images.space + (volumes?.space ?? 0) + before - layerBytes(store));
      });
    });
  addExamples(command, [
    ['veneer system prune', 'remove leftovers of interrupted commands, and images without a name'],
    ['veneer system prune -a -f', 'and all images no container uses, without asking'],
    ['veneer system prune --volumes', 'and volumes without a name that no container has'],
    ['veneer system df', 'what there is to gain'],
  ]);
}
