import { statSync } from 'node:fs';
import { basename } from 'node:path';
import type { Command } from 'commander';
import { VeneerError } from '../../core/index.js';
import { parsePlatform } from '../../image/index.js';
import type { ImportSource } from '../../transfer/index.js';
import { collect, sourceDateEpoch } from '../arguments.js';
import { addExamples } from '../examples.js';
import { interruptible } from '../interruption.js';
import { addLimitOptions, limitsOf } from '../limits.js';
import type { LimitOptions } from '../limits.js';
import { writeLine } from '../output.js';
import { ProgressBoard } from '../progress.js';
import { withStore } from '../store.js';

interface Options extends LimitOptions {
  readonly change?: string[];
  readonly message?: string;
  readonly platform?: string;
  readonly progress: boolean;
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
    .option('--platform <platform>', 'what it runs on: OS/ARCH[/VARIANT] (this machine)')
    .option('-q, --quiet', 'no progress')
    .option('--no-progress', 'no progress');
  addLimitOptions(command).action(async (file: string, name: string | undefined, options: Options) => {
    const { change, message, platform, quiet, progress } = options;
    const wanted = platform === undefined ? undefined : parsePlatform(platform);
    const limits = limitsOf(options);
    const { importRootfs } = await import('../../transfer/index.js');
    using board = new ProgressBoard({ quiet: quiet === true || !progress });
    const line = board.line(file === '-' ? 'standard input' : basename(file));
    const total = sizeOf(file);
    const image = await withStore(command, (store) =>
      interruptible((signal) =>
        importRootfs(store, sourceOf(file), {
          ...(name === undefined ? {} : { reference: name }),
          ...(message === undefined ? {} : { message }),
          changes: change ?? [],
          ...sourceDateEpoch(),
          platform: wanted,
          limits,
          signal,
          onProgress: ({ bytes }) => line.update('Importing', bytes, total),
        }),
      ),
    );
    line.end();
    writeLine(image.id);
  });
  addExamples(command, [
    ['veneer import rootfs.tar.xz debian:12', 'from a file, compressed or not'],
    ['tar -C rootfs -c . | veneer import - mine', 'from a directory'],
    ['veneer import -c \'CMD ["sh"]\' busybox.tar busybox', 'with a command to run'],
  ]);
}
