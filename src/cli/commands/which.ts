import type { Command } from 'commander';
import type { Origin, Whereabouts } from '../../container/index.js';
import { displayBytes, formatSize, shortDigest } from '../../core/index.js';
import { absolute } from '../diff-lines.js';
import { forEachName } from '../each.js';
import { addExamples } from '../examples.js';
import { FORMAT_HELP, printListing } from '../output.js';
import type { ListingOptions, Row } from '../output.js';
import { withStore } from '../store.js';
import { shortenCommand } from '../text.js';
import { timestamp } from '../time.js';

interface Options extends ListingOptions {
  readonly trunc: boolean;
}

const LISTING = {
  columns: [
    ['PATH', 'Path'],
    ['STATUS', 'Status'],
    ['LAYER', 'Layer'],
    ['DIFF ID', 'DiffID'],
    ['SIZE', 'Size'],
    ['MODIFIED', 'Modified'],
    ['CREATED BY', 'CreatedBy'],
  ],
  key: 'Layer',
} as const;

/** A table is for people: sizes and times in their units, IDs and texts cut. */
function isTable({ format, quiet }: ListingOptions): boolean {
  return quiet === undefined && (format === undefined || format === 'table');
}

function rowOf(path: string, origin: Origin, human: boolean, trunc: boolean): Row {
  const { status, layer, diffId, chainId, facts, createdBy, comment, created } = origin;
  const size = facts?.type === 'file' ? facts.size : undefined;
  const modified = facts && new Date(facts.mtime.sec * 1000 + Math.floor(facts.mtime.nsec / 1e6));
  const maker = createdBy === '' ? comment : createdBy;
  return {
    Path: path,
    Status: status,
    Layer: layer === undefined ? 'container' : String(layer),
    DiffID: diffId === undefined ? '' : human && trunc ? shortDigest(diffId) : diffId,
    ChainID: chainId ?? '',
    LayerPath: absolute(displayBytes(origin.path)),
    Type: facts?.type ?? '',
    Mode: facts === undefined ? '' : facts.mode.toString(8).padStart(4, '0'),
    Size: size === undefined ? '' : human ? formatSize(size) : String(size),
    Modified: modified === undefined ? '' : human ? timestamp(modified) : modified.toISOString(),
    CreatedBy: human && trunc ? shortenCommand(maker) : maker,
    Comment: comment,
    CreatedAt: created ?? '',
  };
}

function rowsOf({ path, origins }: Whereabouts, options: Options): Row[] {
  const human = isTable(options);
  const rows = origins.map((origin) => rowOf(absolute(displayBytes(path)), origin, human, options.trunc));
  return options.quiet === true ? rows.slice(0, 1) : rows;
}

const MEANING = `
Each path has a line for every layer that has something to say of it, the top one first. STATUS is one of:
  shown        this is the file, or the directory whose mode and owner are seen
  attributes   the same of a file whose content is in a layer below ('content')
  merged       a directory that adds to the one above
  hidden       the layer has it, too, but something above hides it
  deleted      the layer deleted it, or a directory it was in (LayerPath)
  cut          the layer has another directory, or none, in the place: what is below it is not seen
LAYER counts from 1, the bottom; 'container' is the writable one. A path that was deleted begins with 'deleted'.

Fields: Path, Status, Layer, DiffID, ChainID, LayerPath (the path in the layer: another one where a directory was renamed), Type,
Mode, Size, Modified, CreatedBy, Comment, CreatedAt.`;

export function configure(command: Command): void {
  command
    .argument('<path...>', 'on a mounted container or image, or NAME:PATH in a container or image')
    .option('-q, --quiet', 'only the number of the layer')
    .option('--no-trunc', 'whole IDs and texts')
    .option('--format <format>', FORMAT_HELP)
    .action(async (paths: string[], options: Options) => {
      const { whichLayers } = await import('../../container/index.js');
      await withStore(command, async (store) => {
        const rows: Row[] = [];
        await forEachName(command, paths, async (path) => {
          rows.push(...rowsOf(await whichLayers(store, path), options));
        });
        if (rows.length > 0) printListing(rows, LISTING, options);
      });
    });
  addExamples(command, [
    ['veneer which base:/etc/hosts', 'the layer of a file, what made it, and what it hides'],
    ['veneer which $(veneer mount work)/etc/*', 'of everything in a directory of a mounted container'],
    ['veneer which work:/usr/share/doc', 'a deleted directory: who deleted it, and where it was'],
    ["veneer which --format '{{.Layer}} {{.CreatedBy}}' base:/etc/hosts", 'fields of your choice'],
  ]);
  command.addHelpText('after', MEANING);
}
