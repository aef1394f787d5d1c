import type { Command } from 'commander';
import { formatSize } from '../../core/index.js';
import type { Store, StoreUsage } from '../../store/index.js';
import { addExamples } from '../examples.js';
import { FORMAT_HELP, listingText, printListing, toJson, writeRendered } from '../output.js';
import type { Listing } from '../output.js';
import { withStore } from '../store.js';
import { compileTemplate } from '../template.js';

interface Options {
  readonly verbose?: true;
  readonly format?: string;
}

const SUMMARY: Listing = {
  columns: [
    ['TYPE', 'Type'],
    ['TOTAL', 'TotalCount'],
    ['ACTIVE', 'Active'],
    ['SIZE', 'Size'],
    ['RECLAIMABLE', 'Reclaimable'],
  ],
  key: 'Type',
};

const IMAGES: Listing = {
  columns: [
    ['REPOSITORY', 'Repository'],
    ['TAG', 'Tag'],
    ['IMAGE ID', 'ID'],
    ['CREATED', 'CreatedSince'],
    ['SIZE', 'Size'],
    ['SHARED SIZE', 'SharedSize'],
    ['UNIQUE SIZE', 'UniqueSize'],
    ['CONTAINERS', 'Containers'],
  ],
  key: 'ID',
};

const CONTAINERS: Listing = {
  columns: [
    ['CONTAINER ID', 'ID'],
    ['IMAGE', 'Image'],
    ['COMMAND', 'Command'],
    ['LOCAL VOLUMES', 'LocalVolumes'],
    ['SIZE', 'Size'],
    ['CREATED', 'CreatedSince'],
    ['STATUS', 'Status'],
    ['NAMES', 'Names'],
  ],
  key: 'ID',
};

const VOLUMES: Listing = {
  columns: [
    ['VOLUME NAME', 'Name'],
    ['LINKS', 'Links'],
    ['SIZE', 'Size'],
  ],
  key: 'Name',
};

async function printVerbose(store: Store, usage: StoreUsage, format: string | undefined): Promise<void> {
  const { containerUsageRows, imageUsageRows, volumeUsageRows } = await import('../usage-rows.js');
  const isTable = format === undefined || format === 'table';
  const images = imageUsageRows(usage, isTable);
  const containers = containerUsageRows(store, usage, isTable);
  const volumes = volumeUsageRows(store, usage);
  if (!isTable) {
    const all = { Images: images, Containers: containers, Volumes: volumes };
    writeRendered(`${format === 'json' ? toJson(all) : compileTemplate(format)(all)}\n`);
    return;
  }
  const { totalCount, size } = usage.blobs;
  process.stdout.write(
    `Images space usage:\n\n${listingText(images, IMAGES)}
Containers space usage:\n\n${listingText(containers, CONTAINERS)}
Local Volumes space usage:\n\n${listingText(volumes, VOLUMES)}
Blobs space usage: ${formatSize(size)} (${String(totalCount)})\n`,
  );
}

export function configure(command: Command): void {
  command
    .option('-v, --verbose', 'each image, container and volume')
    .option('--format <format>', FORMAT_HELP)
    .addHelpText(
      'after',
      `
Images: their unpacked layers, those they share once. Containers: what they have changed. Local Volumes: what is in\nthem. Blobs: configurations, manifests,
and layers that are kept compressed, so that an image can be given back with the digests it came with.
RECLAIMABLE is what goes when all images without a container, all containers that do not run and are not mounted,\nand all volumes that no container has, are removed.

Fields for --format: .Type .TotalCount .Active .Size .Reclaimable; with -v lists: .Images .Containers .Volumes`,
    )
    .action(async (options: Options) => {
      const { summaryRows } = await import('../usage-rows.js');
      await withStore(command, async (store) => {
        const usage = await store.usage();
        if (options.verbose === true) await printVerbose(store, usage, options.format);
        else printListing(summaryRows(usage), SUMMARY, options);
      });
    });
  addExamples(command, [
    ['veneer system df', 'what images and containers take on disk, and what could go'],
    ['veneer system df -v', 'which image shares how much with others'],
    ["veneer system df --format '{{.Type}} {{.Reclaimable}}'", 'in a form of your own'],
  ]);
}
