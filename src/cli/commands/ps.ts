import type { Command } from 'commander';
import { addExamples } from '../examples.js';
import { FORMAT_HELP, printListing } from '../output.js';
import type { ListingOptions } from '../output.js';
import { withStore } from '../store.js';

interface Options extends ListingOptions {
  readonly all?: true;
  readonly trunc: boolean;
}

const LISTING = {
  columns: [
    ['CONTAINER ID', 'ID'],
    ['IMAGE', 'Image'],
    ['COMMAND', 'Command'],
    ['CREATED', 'CreatedSince'],
    ['STATUS', 'Status'],
    ['PORTS', 'Ports'],
    ['NAMES', 'Names'],
  ],
  key: 'ID',
} as const;

export function configure(command: Command): void {
  command
    .option('-a, --all', 'containers that are not mounted, too')
    .option('-q, --quiet', 'only IDs')
    .option('--no-trunc', 'whole IDs and commands')
    .option('--format <format>', FORMAT_HELP)
    .action(async (options: Options) => {
      const { listContainers } = await import('../../container/index.js');
      const { containerRow } = await import('../container-rows.js');
      await withStore(command, (store) => {
        const shown = listContainers(store).filter(({ state }) => options.all === true || state === 'mounted');
        printListing(
          shown.map((container) => containerRow(container, options.trunc)),
          LISTING,
          options,
        );
      });
    });
  addExamples(command, [
    ['veneer ps', 'the mounted containers'],
    ['veneer ps -a', 'all containers'],
    ["veneer ps -a --format '{{.Names}} {{.Mountpoint}}'", 'in a form of your own'],
    ['veneer rm $(veneer ps -aq)', 'remove all containers that are not mounted'],
  ]);
}
