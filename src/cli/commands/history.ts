import type { Command } from 'commander';
import { formatSize, shortDigest } from '../../core/index.js';
import { addExamples } from '../examples.js';
import { FORMAT_HELP, printListing } from '../output.js';
import type { ListingOptions, Row } from '../output.js';
import { withStore } from '../store.js';
import { ago } from '../time.js';

interface Options extends ListingOptions {
  readonly trunc: boolean;
  readonly human?: string;
}

const LISTING = {
  columns: [
    ['IMAGE', 'ID'],
    ['CREATED', 'CreatedSince'],
    ['CREATED BY', 'CreatedBy'],
    ['SIZE', 'Size'],
    ['COMMENT', 'Comment'],
  ],
  key: 'ID',
} as const;

/** docker's width of CREATED BY and COMMENT. */
const WIDTH = 45;

function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length > WIDTH ? `${line.slice(0, WIDTH - 1)}\u2026` : line;
}

export function configure(command: Command): void {
  command
    .argument('<image>', 'its name or ID')
    .option('-q, --quiet', 'only IDs')
    .option('--no-trunc', 'whole IDs and texts')
    .option('-H, --human <true|false>', 'sizes and times for people (true)', 'true')
    .option('--format <format>', FORMAT_HELP)
    .action(async (name: string, options: Options) => {
      const human = options.human !== 'false';
      const text = options.trunc ? shorten : (whole: string): string => whole;
      await withStore(command, (store) => {
        const image = store.images.resolve(name);
        const rows = store.images.history(image.id).map((entry, index): Row => {
          const id = options.trunc ? shortDigest(image.id) : image.id;
          return {
            ID: index === 0 ? id : '<missing>',
            CreatedSince: human
              ? ago(entry.created === undefined ? undefined : new Date(entry.created))
              : (entry.created ?? 'N/A'),
            CreatedAt: entry.created ?? 'N/A',
            CreatedBy: text(entry.createdBy),
            Size: human ? formatSize(entry.size) : String(entry.size),
            Comment: text(entry.comment),
          };
        });
        printListing(rows, LISTING, options);
      });
    });
  addExamples(command, [
    ['veneer history base:v2', 'the layers of an image, newest first'],
    ['veneer history --no-trunc base:v2', 'with the whole texts'],
    ['veneer history --human=false --format json base', 'for programs: bytes and RFC 3339 times'],
  ]);
}
