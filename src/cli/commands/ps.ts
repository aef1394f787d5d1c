import type { Command } from 'commander';
import type { Container } from '../../container/index.js';
import { addExamples } from '../examples.js';
import { FORMAT_HELP, printListing } from '../output.js';
import type { ListingOptions, Row } from '../output.js';
import { withStore } from '../store.js';
import { ago, timestamp } from '../time.js';

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

/** docker's width of COMMAND. */
const WIDTH = 20;

function commandText({ command }: Container, trunc: boolean): string {
  const text = command.join(' ').replace(/\s+/g, ' ');
  return `"${trunc && text.length > WIDTH ? `${text.slice(0, WIDTH - 1)}\u2026` : text}"`;
}

function rowOf(container: Container, trunc: boolean): Row {
  const { id, name, imageReference, created, state, mountpoint, labels } = container;
  return {
    ID: trunc ? id.slice(0, 12) : id,
    Image: imageReference,
    Command: commandText(container, trunc),
    CreatedSince: ago(created),
    CreatedAt: timestamp(created),
    Status: state === 'mounted' ? 'Mounted' : 'Created',
    State: state,
    Ports: '',
    Names: name,
    Mountpoint: mountpoint ?? '',
    Labels: Object.entries(labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
  };
}

export function configure(command: Command): void {
  command
    .option('-a, --all', 'containers that are not mounted, too')
    .option('-q, --quiet', 'only IDs')
    .option('--no-trunc', 'whole IDs and commands')
    .option('--format <format>', FORMAT_HELP)
    .action(async (options: Options) => {
      const { listContainers } = await import('../../container/index.js');
      await withStore(command, (store) => {
        const shown = listContainers(store).filter(({ state }) => options.all === true || state === 'mounted');
        printListing(
          shown.map((container) => rowOf(container, options.trunc)),
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
