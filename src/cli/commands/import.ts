import { statSync } from 'node:fs';
import type { Command } from 'commander';
import { VeneerError } from '../../core/index.js';
import type { ImportSource } from '../../transfer/index.js';
import { collect, sourceDateEpoch } from '../arguments.js';
import { addExamples } from '../examples.js';
import { writeLine } from '../output.js';
import { Progress } from '../progress.js';
import { withStore } from '../store.js';

interface Options {
  readonly change?: string[];
  readonly message?: string;
  readonly quiet?: true;
}

function sourceOf(file: string): ImportSource {
  if (file !== '-') return { path: file };
  if (process.stdin.isTTY) {
    throw new VeneerError('usage', 'nothing to import: standard input is a terminal', {
      hint: 'pipe a tar in: tar -C DIR -c . | veneer import - NAME',
    });
  }
  return { stream: process.stdin, name: '-' };
}

function sizeOf(file: string): number | undefined {
  return file === '-' ? undefined : statSync(file, { throwIfNoEntry: false })?.size;
}

export function configure(command: Command): void {
  command
    .argument('<file>', "a tar, plain or compressed (gzip, bzip2, xz, zstd); '-' reads standard input")
    .argument('[name]', 'what to call the image: REPOSITORY[:TAG]')
    .option('-c, --change <instruction>', 'a Dockerfile instruction to apply (may be repeated)', collect)
    .option('-m, --message <text>', "a comment in the image's history")
    .option('-q, --quiet', 'no progress')
    .action(async (file: string, name: string | undefined, { change, message, quiet }: Options) => {
      const { importRootfs } = await import('../../transfer/index.js');
      const progress = new Progress({ label: 'importing', total: sizeOf(file) });
      await withStore(command, async (store) => {
        const image = await importRootfs(store, sourceOf(file), {
          ...(name === undefined ? {} : { reference: name }),
          ...(message === undefined ? {} : { message }),
          changes: change ?? [],
          ...sourceDateEpoch(),
          onProgress: ({ bytes }) => {
            if (quiet !== true) progress.update(bytes);
          },
        }).finally(() => progress.end());
        writeLine(image.id);
      });
    });
  addExamples(command, [
    ['veneer import rootfs.tar.xz debian:12', 'from a file, compressed or not'],
    ['tar -C rootfs -c . | veneer import - mine', 'from a directory'],
    ['veneer import -c \'CMD ["sh"]\' busybox.tar busybox', 'with a command to run'],
  ]);
}
