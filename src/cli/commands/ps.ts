import type { Command } from 'commander';
import type { Container } from '../../container/index.js';
import type { Store } from '../../store/index.js';
import { collect, parseCount } from '../arguments.js';
import { addExamples } from '../examples.js';
import { parseFilters } from '../filter.js';
import { FORMAT_HELP, printListing } from '../output.js';
import type { Listing, ListingOptions, Row } from '../output.js';
import { withStore } from '../store.js';

interface Options extends ListingOptions {
  readonly all?: true;
  readonly last?: string;
  readonly latest?: true;
  readonly size?: true;
  readonly filter?: string[];
  readonly trunc: boolean;
}

const listing = (size: boolean): Listing => ({
  columns: [
    ['CONTAINER ID', 'ID'],
    ['IMAGE', 'Image'],
    ['COMMAND', 'Command'],
    ['CREATED', 'CreatedSince'],
    ['STATUS', 'Status'],
    ['PORTS', 'Ports'],
    ['NAMES', 'Names'],
    ...(size ? ([['SIZE', 'Size']] as const) : []),
  ],
  headings: {
    RunningFor: 'CREATED',
    CreatedAt: 'CREATED AT',
    LocalVolumes: 'LOCAL VOLUMES',
    Mountpoint: 'MOUNT POINT',
  },
  key: 'ID',
});

async function choose(store: Store, options: Options): Promise<Container[]> {
  const { listContainers } = await import('../../container/index.js');
  const { CONTAINER_FILTERS, filterContainers, impliesAll } = await import('../container-filter.js');
  const { isUp } = await import('../container-status.js');
  const filters = parseFilters(options.filter ?? [], CONTAINER_FILTERS);
  const chosen = filterContainers(store, listContainers(store), filters);
  const last = options.latest === true ? 1 : options.last === undefined ? 0 : parseCount('--last', options.last, 0);
  if (last > 0) return chosen.slice(0, last);
  return options.all === true || impliesAll(filters) ? chosen : chosen.filter(isUp);
}

async function rowsOf(store: Store, containers: readonly Container[], options: Options): Promise<Row[]> {
  const { containerSize } = await import('../../container/index.js');
  const { containerRow } = await import('../container-rows.js');
  const isMeasured = options.size === true || /\.Size\b/.test(options.format ?? '');
  return containers.map((container) => {
    const size = isMeasured ? containerSize(store, container.id) : undefined;
    return containerRow(container, { trunc: options.trunc, size });
  });
}

export function configure(command: Command): void {
  command
    .option('-a, --all', 'those that do not run, too')
    .option('-q, --quiet', 'only IDs')
    .option('-n, --last <count>', 'the last ones made, whatever they do')
    .option('-l, --latest', 'the last one made, whatever it does')
    .option('-s, --size', 'with what they have written, and that with their images')
    .option('-f, --filter <name=value>', 'only containers that meet this (may be repeated)', collect)
    .option('--no-trunc', 'whole IDs and commands')
    .option('--format <format>', FORMAT_HELP)
    .addHelpText(
      'after',
      `
Without --all: what runs, is paused or restarts, and what is mounted.

Filters:
  status=STATE                created, mounted, running, paused, restarting, exited, dead
  exited=CODE                 ended with this exit code
  health=STATE                starting, healthy, unhealthy, none
  name=PATTERN, id=PATTERN    a regular expression, found anywhere
  ancestor=IMAGE              made of this image, or of one that was made from it
  label=KEY, label=KEY=VALUE  with a label
  before=NAME, since=NAME     made before, after another container
  volume=NAME, volume=PATH    with a volume, or something mounted from or at a path
  network=MODE                with this network
  publish=PORT, expose=PORT   with this port of the host, of its own: 80, 53/udp, 8000-8010
  restart-policy=POLICY       no, always, on-failure, unless-stopped
  should-start-on-boot=BOOL   its policy is always, or unless-stopped and nobody has stopped it
Several of one name: all labels, any of the others. All that are named must be met.

Fields for --format: .ID .Image .Command .CreatedSince .CreatedAt .RunningFor .Status .State .Ports .Names .Labels .Mounts
.LocalVolumes .Networks .Size .Mountpoint, and .Label "KEY"`,
    )
    .action(async (options: Options) => {
      await withStore(command, async (store) => {
        const rows = await rowsOf(store, await choose(store, options), options);
        printListing(rows, listing(options.size === true), options);
      });
    });
  addExamples(command, [
    ['veneer ps', 'what runs'],
    ['veneer ps -a', 'all containers'],
    ['veneer ps -aq --filter status=exited', 'the IDs of those that have ended'],
    ["veneer ps -a --format '{{.Names}} {{.Status}}'", 'in a form of your own'],
    ['veneer rm $(veneer ps -aq)', 'remove all containers that do not run'],
  ]);
}
