import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { VeneerError } from '../../core/index.js';
import { familiarReference, parsePlatform } from '../../image/index.js';
import type { ArchiveSource, LoadedImage } from '../../transfer/index.js';
import { addExamples } from '../examples.js';
import { interruptible } from '../interruption.js';
import { addLimitOptions, limitsOf } from '../limits.js';
import type { LimitOptions } from '../limits.js';
import { writeLine } from '../output.js';
import { ProgressBoard } from '../progress.js';
import { withStore } from '../store.js';
import { showTransfer } from '../transfer-progress.js';

interface Options extends LimitOptions {
  readonly input?: string;
  readonly platform?: string;
  readonly quiet?: true;
}

interface Source {
  readonly source: ArchiveSource;
  readonly reference?: string;
}

async function sourceOf(input: string | undefined): Promise<Source> {
  if (input !== undefined && input !== '-') {
    const { parseArchiveName } = await import('../../transfer/index.js');
    const { path, reference } = (existsSync(input) ? undefined : parseArchiveName(input)) ?? { path: input };
    return { source: { path }, ...(reference === undefined ? {} : { reference }) };
  }
  if (process.stdin.isTTY) {
    throw new VeneerError('usage', 'nothing to load: standard input is a terminal', {
      hint: 'name an archive with -i FILE, or pipe one in',
    });
  }
  return { source: { stream: process.stdin, name: 'standard input' } };
}

/** docker's words. */
function announce({ image, names }: LoadedImage): void {
  for (const name of names) writeLine(`Loaded image: ${familiarReference(name)}`);
  if (names.length === 0) writeLine(`Loaded image ID: ${image.id}`);
}

export function configure(command: Command): void {
  command
    .option('-i, --input <archive>', 'a file or an OCI layout directory, rather than standard input')
    .option('--platform <platform>', 'of an image for several, the one to load: OS/ARCH[/VARIANT]')
    .option('-q, --quiet', 'no progress');
  addLimitOptions(command).action(async ({ input, platform, quiet, ...limits }: Options) => {
    const { source, reference } = await sourceOf(input);
    const wanted = platform === undefined ? undefined : parsePlatform(platform);
    const bounds = limitsOf(limits);
    const { loadImages } = await import('../../transfer/index.js');
    using board = new ProgressBoard({ quiet });
    await withStore(command, (store) =>
      interruptible(async (signal) => {
        await loadImages(store, source, {
          platform: wanted,
          reference,
          limits: bounds,
          signal,
          onProgress: showTransfer(board),
          onLoaded: (loaded) => board.aside(() => announce(loaded)),
        });
      }),
    );
  });
  addExamples(command, [
    ['veneer load -i images.tar.gz', "an archive of 'docker save', 'podman save', BuildKit or skopeo"],
    ['docker save debian:12 | veneer load', 'without a file between'],
    ['veneer load -i layout/', 'an OCI image layout; oci:layout:TAG takes one image of it'],
    ['veneer load -i multi.tar --platform linux/arm64', 'for another machine'],
  ]);
}
