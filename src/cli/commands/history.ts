import type { Command } from 'commander';
import { VeneerError } from '../../core/index.js';
import { isArchiveName, readOneArchived } from '../archived-images.js';
import { addExamples } from '../examples.js';
import { FORMAT_HELP, printListing } from '../output.js';
import type { Listing, ListingOptions } from '../output.js';
import { withStore } from '../store.js';

interface Options extends ListingOptions {
  readonly trunc: boolean;
  readonly human: boolean;
  readonly tree?: true;
}

const listing = (human: boolean): Listing => ({
  columns: [
    ['IMAGE', 'ID'],
    human ? ['CREATED', 'CreatedSince'] : ['CREATED AT', 'CreatedAt'],
    ['CREATED BY', 'CreatedBy'],
    ['SIZE', 'Size'],
    ['COMMENT', 'Comment'],
  ],
  headings: { CreatedSince: 'CREATED', CreatedAt: 'CREATED AT' },
  key: 'ID',
});

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] IMAGE | --tree [IMAGE...]')
    .argument('[image...]', 'its name or ID; with --tree any number, or all')
    .option('--tree', 'the layers of images as a picture: what they share is there once')
    .option('-q, --quiet', 'only IDs')
    .option('--no-trunc', 'whole IDs and texts; in the tree a line for each layer')
    .option('-H, --human', 'sizes and times for people', true)
    .option('--no-human', 'bytes, and times as they are recorded (docker: --human=false)')
    .option('--format <format>', FORMAT_HELP)
    .addHelpText(
      'after',
      `
Fields for --format: .ID .CreatedSince .CreatedAt .CreatedBy .Size .Comment
With --tree, a line for each layer: .ID .DiffID .Parent .Size .CreatedBy .Images .Users`,
    )
    .action(async (names: string[], options: Options) => {
      const { trunc, human } = options;
      if (options.tree === true) {
        const { printTree } = await import('../history-tree.js');
        await withStore(command, (store) => printTree(store, names, options));
        return;
      }
      const [name] = names;
      if (name === undefined || names.length > 1) {
        throw new VeneerError('usage', `history: ${name === undefined ? 'name an image' : 'one image, or --tree'}`);
      }
      const { archivedHistoryRows, historyRows } = await import('../history-rows.js');
      await withStore(command, async (store) => {
        const rows = isArchiveName(store, name)
          ? archivedHistoryRows(await readOneArchived(store, name), { trunc, human })
          : historyRows(store, store.images.resolve(name), { trunc, human });
        printListing(rows, listing(human), options);
      });
    });
  addExamples(command, [
    ['veneer history base:v2', 'what made an image, newest first'],
    ['veneer history --no-trunc base:v2', 'with the whole texts'],
    ['veneer history --human=false --format json base', 'for programs: bytes and RFC 3339 times'],
    ['veneer history oci:layout/:1.0', 'of an image in an OCI layout, with the sizes it has there'],
    ['veneer history --tree', 'which layers all images have in common'],
    ['veneer history --tree --no-trunc web:1 web:2', 'of two images, a line for each layer'],
  ]);
}
