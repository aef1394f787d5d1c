import { statSync } from 'node:fs';
import { Option } from 'commander';
import type { Command } from 'commander';
import { VeneerError } from '../../core/index.js';
import type { SaveTarget } from '../../transfer/index.js';
import { parseLevel } from '../compression-level.js';
import { addExamples } from '../examples.js';
import { interruptible } from '../interruption.js';
import { ProgressBoard } from '../progress.js';
import { standardOutput } from '../standard-output.js';
import { withStore } from '../store.js';
import { showTransfer } from '../transfer-progress.js';

interface Options {
  readonly output?: string;
  readonly format?: 'docker' | 'oci';
  readonly compression?: 'none' | 'gzip' | 'zstd';
  readonly level?: string;
  readonly quiet?: true;
}

function targetOf(output: string | undefined): SaveTarget {
  if (output === undefined || output === '-') return { sink: standardOutput('save') };
  const isDirectory = output.endsWith('/') || statSync(output, { throwIfNoEntry: false })?.isDirectory() === true;
  return isDirectory ? { directory: output } : { path: output };
}

function levelOf({ level, compression }: Options): number | undefined {
  if (level === undefined) return undefined;
  if (compression !== undefined && compression !== 'none') return parseLevel('--level', level, compression);
  throw new VeneerError('usage', `--level '${level}': nothing is compressed`, {
    hint: 'it goes with --compression gzip or zstd',
  });
}

export function configure(command: Command): void {
  command
    .argument('<image...>', 'names or IDs; a name without a tag means all its tags')
    .option('-o, --output <file>', 'a file, or a directory (which ends in /, or is there) for an OCI layout')
    .addOption(new Option('--format <format>', 'docker (readable as OCI, too), or oci').choices(['docker', 'oci']))
    .addOption(
      new Option('--compression <method>', 'of layers, in the format oci (default: as they came, else none)').choices([
        'none',
        'gzip',
        'zstd',
      ]),
    )
    .option('--level <number>', 'how hard to compress')
    .option('-q, --quiet', 'no progress')
    .action(async (images: string[], options: Options) => {
      const { output, format, compression, quiet } = options;
      const level = levelOf(options);
      if (compression !== undefined && compression !== 'none' && format === 'docker') {
        throw new VeneerError('usage', 'layers are not compressed in the format docker', { hint: 'add --format oci' });
      }
      const target = targetOf(output);
      const isPacked = compression !== undefined && compression !== 'none';
      const { saveImages } = await import('../../transfer/index.js');
      using board = new ProgressBoard({ quiet });
      await withStore(command, (store) =>
        interruptible((signal) =>
          saveImages(store, images, target, {
            format: format ?? (isPacked ? 'oci' : undefined),
            compression,
            level,
            signal,
            onProgress: showTransfer(board),
          }),
        ),
      );
    });
  addExamples(command, [
    ['veneer save -o base.tar base:v2', "for 'docker load', 'podman load', skopeo, or another machine"],
    ['veneer save base:v1 base:v2 | zstd > base.tar.zst', 'several images; what they share is written once'],
    ['veneer save -o layout/ --compression zstd base:v2', 'an OCI image layout, or adding to one'],
    ['veneer save base | ssh HOST veneer load', 'to another machine'],
  ]);
}
