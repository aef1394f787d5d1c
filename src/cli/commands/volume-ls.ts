import type { Command } from 'commander';
import { collect } from '../arguments.js';
import { addExamples } from '../examples.js';
import { booleanFilter, hasLabel, labelFilters, parseFilters } from '../filter.js';
import { FORMAT_HELP, printListing } from '../output.js';
import type { Listing, ListingOptions } from '../output.js';
import { withStore } from '../store.js';
import { volumeRow } from '../volume-row.js';

const VOLUMES: Listing = {
  columns: [
    ['DRIVER', 'Driver'],
    ['VOLUME NAME', 'Name'],
  ],
  key: 'Name',
};

export function configure(command: Command): void {
  command
    .option('-q, --quiet', 'names only')
    .option('-f, --filter <name=value>', 'dangling=true|false, name=, label=, driver= (may be repeated)', collect)
    .option('--format <format>', FORMAT_HELP)
    .addHelpText('after', '\nFields for --format: .Driver .Name .Scope .Mountpoint .Labels')
    .action(async (options: ListingOptions & { filter?: string[] }) => {
      const filters = parseFilters(options.filter ?? [], ['dangling', 'name', 'label', 'driver']);
      const dangling = booleanFilter(filters, 'dangling');
      const names = filters.get('name') ?? [];
      const drivers = filters.get('driver') ?? ['local'];
      const labels = labelFilters(filters, 'label');
      await withStore(command, (store) => {
        const chosen = store.volumes
          .list()
          .filter(
            (volume) =>
              drivers.includes('local') &&
              (dangling === undefined || (store.volumes.users(volume.name).length === 0) === dangling) &&
              (names.length === 0 || names.some((part) => volume.name.includes(part))) &&
              labels.every((label) => hasLabel(volume.labels, label)),
          );
        const rows = chosen.map((volume) => volumeRow(store, volume));
        printListing(rows, VOLUMES, options);
      });
    });
  addExamples(command, [
    ['veneer volume ls', 'all volumes'],
    ['veneer volume ls -q -f dangling=true', 'the names of those that no container has'],
  ]);
}
