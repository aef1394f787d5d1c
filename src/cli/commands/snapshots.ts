import type { Command } from 'commander';
import { formatSize } from '../../core/index.js';
import { addExamples } from '../examples.js';
import { FORMAT_HELP, printListing } from '../output.js';
import type { ListingOptions } from '../output.js';
import { withStore } from '../store.js';
import { ago, timestamp } from '../time.js';

const LISTING = {
  columns: [
    ['NAME', 'Name'],
    ['CREATED', 'CreatedSince'],
    ['SIZE', 'Size'],
    ['CURRENT', 'Current'],
  ],
  key: 'Name',
} as const;

export function configure(command: Command): void {
  command
    .argument('<container>', 'its name or ID')
    .option('-q, --quiet', 'only names')
    .option('--format <format>', FORMAT_HELP)
    .addHelpText(
      'after',
      `
SIZE is of what changed since the snapshot before. CURRENT marks the one that the container goes on from.
Fields for --format: .Name .CreatedSince .CreatedAt .Size .Current`,
    )
    .action(async (container: string, options: ListingOptions) => {
      const { listSnapshots } = await import('../../container/index.js');
      await withStore(command, (store) => {
        const rows = listSnapshots(store, container).map(({ name, created, size, isCurrent }) => ({
          Name: name,
          CreatedSince: ago(created),
          CreatedAt: timestamp(created),
          Size: formatSize(size),
          Current: isCurrent ? '*' : '',
        }));
        printListing(rows, LISTING, options);
      });
    });
  addExamples(command, [
    ['veneer snapshots web', 'the snapshots of a container, the oldest first'],
    ['veneer snapshot -d web $(veneer snapshots -q web)', 'remove all of them'],
  ]);
}
