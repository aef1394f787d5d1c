import type { Command } from 'commander';
import { addExamples } from '../examples.js';
import { FORMAT_HELP, printListing } from '../output.js';
import type { ListingOptions } from '../output.js';
import { withStore } from '../store.js';

interface Options extends ListingOptions {
  readonly all?: true;
  /** commander's form of --no-trunc. */
  readonly trunc: boolean;
}

const LISTING = {
  columns: [
    ['REPOSITORY', 'Repository'],
    ['TAG', 'Tag'],
    ['IMAGE ID', 'ID'],
    ['CREATED', 'CreatedSince'],
    ['SIZE', 'Size'],
  ],
  key: 'ID',
} as const;

export function configure(command: Command): void {
  command
    .argument('[repository]', 'only images of this name: REPOSITORY[:TAG]')
    .option('-a, --all', 'all images (none are hidden; for those used to typing it)')
    .option('-q, --quiet', 'only IDs')
    .option('--no-trunc', 'whole IDs')
    .option('--format <format>', FORMAT_HELP)
    .action(async (repository: string | undefined, options: Options) => {
      const { imageRows, matchingImages } = await import('../image-rows.js');
      await withStore(command, (store) => {
        const rows = matchingImages(store.images.list(), repository).flatMap((image) =>
          imageRows(image, options.trunc),
        );
        const distinct =
          options.quiet === true
            ? rows.filter((row, at) => rows.findIndex((it) => it['ID'] === row['ID']) === at)
            : rows;
        printListing(distinct, LISTING, options);
      });
    });
  addExamples(command, [
    ['veneer images', 'all images'],
    ['veneer images debian', 'those of one repository'],
    ["veneer images --format '{{.ID}} {{.Repository}}:{{.Tag}}'", 'in a form of your own'],
    ['veneer images --format json', 'for programs: one JSON object a line'],
    ['veneer rmi $(veneer images -q)', 'remove all images'],
  ]);
}
