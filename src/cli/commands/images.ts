import type { Command } from 'commander';
import { collect } from '../arguments.js';
import { addExamples } from '../examples.js';
import { parseFilters } from '../filter.js';
import { FORMAT_HELP, printListing } from '../output.js';
import type { Listing, ListingOptions } from '../output.js';
import { withStore } from '../store.js';

interface Options extends ListingOptions {
  readonly all?: true;
  readonly digests?: true;
  readonly filter?: string[];
  /** commander's form of --no-trunc. */
  readonly trunc: boolean;
}

type Column = readonly [heading: string, field: string];

const NAME: readonly Column[] = [
  ['REPOSITORY', 'Repository'],
  ['TAG', 'Tag'],
];
const DIGEST: Column = ['DIGEST', 'Digest'];
const REST: readonly Column[] = [
  ['IMAGE ID', 'ID'],
  ['CREATED', 'CreatedSince'],
  ['SIZE', 'Size'],
];

const listing = (digests: boolean): Listing => ({
  columns: [...NAME, ...(digests ? [DIGEST] : []), ...REST],
  headings: {
    Digest: 'DIGEST',
    CreatedAt: 'CREATED AT',
    Containers: 'CONTAINERS',
    SharedSize: 'SHARED SIZE',
    UniqueSize: 'UNIQUE SIZE',
    VirtualSize: 'SIZE',
  },
  key: 'ID',
});

/** docker leaves these to `system df`; here they are counted where they are asked for. */
const COUNTED = /^json$|\.(?:Containers|SharedSize|UniqueSize)\b/;

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] [REPOSITORY[:TAG]]')
    .argument('[repository]', "only images of this name: REPOSITORY[:TAG], or a pattern such as 'team/*'")
    .option('-a, --all', 'the empty image, too, once it is used')
    .option('-q, --quiet', 'only IDs')
    .option('--digests', 'with the digests of manifests')
    .option('-f, --filter <name=value>', 'only images that meet this (may be repeated)', collect)
    .option('--no-trunc', 'whole IDs')
    .option('--format <format>', FORMAT_HELP)
    .addHelpText(
      'after',
      `
Filters:
  dangling=true|false             without, with a name
  label=KEY, label=KEY=VALUE      with a label
  before=IMAGE, since=IMAGE       made before, after another image
  until=TIME                      made before a date ('2024-05-01'), or longer ago than '24h'
  reference=PATTERN               with a name like this: 'debian', 'debian:1*', '*/app'
Several of one name: all labels, any reference, else the last one. All that are named must be met.

Fields for --format: .ID .Repository .Tag .Digest .CreatedSince .CreatedAt .Size .VirtualSize .SharedSize .UniqueSize .Containers`,
    )
    .action(async (repository: string | undefined, options: Options) => {
      const { IMAGE_FILTERS, filterImages } = await import('../image-filter.js');
      const { imageRows, imageUsage } = await import('../image-rows.js');
      const words = [...(options.filter ?? []), ...(repository === undefined ? [] : [`reference=${repository}`])];
      const filters = parseFilters(words, IMAGE_FILTERS);
      const format = options.format ?? '';
      const digests = options.digests === true || format.includes('{{.Digest}}');
      await withStore(command, (store) => {
        const all = store.images.list({ all: options.all === true });
        const images = filterImages(store, all, filters);
        const usage = COUNTED.test(format) ? imageUsage(store, all) : undefined;
        const rows = images.flatMap((image) => imageRows(image, { trunc: options.trunc, digests, usage }));
        const distinct = options.quiet === true ? new Map(rows.map((row) => [row['ID'], row])).values() : rows;
        printListing([...distinct], listing(options.digests === true), options);
      });
    });
  addExamples(command, [
    ['veneer images', 'all images, newest first'],
    ['veneer images debian:12', 'of one name'],
    ['veneer images --filter dangling=true -q', 'the IDs of those without a name'],
    ["veneer images --format '{{.ID}} {{.Repository}}:{{.Tag}}'", 'in a form of your own'],
    ['veneer images --format json', 'for programs: one JSON object a line'],
    ['veneer rmi $(veneer images -q)', 'remove all images'],
  ]);
}
