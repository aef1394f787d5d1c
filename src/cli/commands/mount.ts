import { Option } from 'commander';
import type { Command } from 'commander';
import type { Container } from '../../container/index.js';
import type { Transport } from '../../overlay/index.js';
import { addExamples } from '../examples.js';
import { FORMAT_HELP, printListing, writeLine } from '../output.js';
import type { ListingOptions } from '../output.js';
import { addPullOptions } from '../pull-options.js';
import type { PullOptions } from '../pull-options.js';
import { withStore } from '../store.js';

type MountOptions = ListingOptions & PullOptions & { readonly transport: Transport };

const LISTING = {
  columns: [
    ['CONTAINER ID', 'ID'],
    ['NAMES', 'Names'],
    ['MOUNT POINT', 'Mountpoint'],
  ],
  key: 'ID',
} as const;

function list(containers: readonly Container[], options: ListingOptions): void {
  const mounted = containers.filter(({ mountpoint }) => mountpoint !== undefined);
  const rows = mounted.map(({ id, name, mountpoint }) => ({
    ID: id.slice(0, 12),
    Names: name,
    Mountpoint: mountpoint ?? '',
  }));
  printListing(rows, LISTING, options);
}

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] [CONTAINER [DIR] | IMAGE DIR]')
    .argument(
      '[name]',
      'a container (read-write) or an image (read-only); without it, the mounted containers are listed',
    )
    .argument('[dir]', 'where to mount; a container has a directory of its own if there is none')
    .option('-q, --quiet', 'in the list, only IDs; no progress of a pull')
    .option('--format <format>', `the list's: ${FORMAT_HELP}`)
    .addOption(
      new Option(
        '--transport <transport>',
        'how to speak to the kernel: by itself, or through the npm package fuse-native',
      )
        .choices(['direct', 'fuse-native'])
        .default('direct'),
    );
  addPullOptions(command).action(
    async (name: string | undefined, directory: string | undefined, options: MountOptions) => {
      const { listContainers } = await import('../../container/index.js');
      const { mountByName } = await import('../mount-by-name.js');
      const { presentImage } = await import('../pull-missing.js');
      await withStore(command, async (store) => {
        if (name === undefined) {
          list(listContainers(store), options);
          return;
        }
        const present = (image: string): Promise<string> =>
          presentImage(store, image, { ...options, among: 'container or image' });
        writeLine(await mountByName(store, name, { directory, transport: options.transport, present }));
      });
    },
  );
  addExamples(command, [
    ['veneer mount work', 'mount a container and print where'],
    ['veneer mount work /mnt', 'mount it at a place of your own'],
    ['veneer mount debian:12 /mnt', 'mount an image, read-only; it is pulled if it is not here'],
    ['veneer mount', 'list what is mounted'],
  ]);
}
