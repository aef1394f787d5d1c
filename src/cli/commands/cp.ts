import type { Command } from 'commander';
import { VeneerError, formatSize } from '../../core/index.js';
import type { CopyPlace } from '../../container/index.js';
import { addExamples } from '../examples.js';
import { interruptible } from '../interruption.js';
import { standardOutput } from '../standard-output.js';
import { withStore } from '../store.js';

interface Options {
  readonly archive?: true;
  readonly followLink?: true;
  readonly quiet?: true;
}

/** CONTAINER:PATH, or a path of this machine: one that begins with a slash or a dot, or has no colon. */
function readPlace(text: string): CopyPlace {
  const colon = text.indexOf(':');
  if (colon < 1 || /^[./]/.test(text)) return { path: text };
  return { container: text.slice(0, colon), path: text.slice(colon + 1) || '/' };
}

function inContainer({ container, path }: CopyPlace): Required<CopyPlace> {
  if (container !== undefined) return { container, path };
  throw new VeneerError('usage', `cp: '${path}' is not in a container`, { hint: 'write CONTAINER:PATH' });
}

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n       veneer cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH')
    .argument('<source>', "a path, one of a container, or '-': a tar on standard input")
    .argument('<destination>', "a path, one of a container, or '-': a tar on standard output")
    .option('-a, --archive', 'keep users and groups, by number')
    .option('-L, --follow-link', 'copy what the link SRC_PATH leads to, not the link')
    .option('-q, --quiet', 'do not tell what was copied')
    .addHelpText(
      'after',
      `
Running or not, with the volumes; both may be containers. A directory that is there gets SRC_PATH in it; SRC_PATH/. is what is in SRC_PATH. Without
--archive, files are root's in a container, and yours outside. Links below SRC_PATH stay links, and none leads out of a container.
A tar keeps its users and groups; one on standard input may be compressed. A path with a colon is written ./a:b.`,
    )
    .action(async (source: string, destination: string, options: Options) => {
      const { copyFiles, copyFromTar, copyToTar } = await import('../../container/index.js');
      const [from, to] = [readPlace(source), readPlace(destination)];
      const rules = { archive: options.archive === true, follow: options.followLink === true };
      const copied = await withStore(command, (store) =>
        interruptible((signal) => {
          if (source === '-') return copyFromTar(store, inContainer(to), { source: process.stdin, signal });
          if (destination === '-') {
            return copyToTar(store, inContainer(from), { ...rules, sink: standardOutput('cp'), signal });
          }
          if (from.container === undefined) inContainer(to);
          return copyFiles(store, { from, to }, { ...rules, signal });
        }),
      );
      if (options.quiet === true || destination === '-' || !process.stderr.isTTY) return;
      process.stderr.write(`Successfully copied ${formatSize(copied.bytes)} to ${destination}\n`);
    });
  addExamples(command, [
    ['veneer cp work:/etc/passwd .', 'a file out of a container'],
    ['veneer cp site/. web:/var/www', 'what is in a directory into one of a container'],
    ['veneer cp web:/var/log - | tar -t', 'a directory as a tar'],
    ['veneer cp - web:/srv < files.tar.gz', 'a tar, unpacked in the container'],
    ['veneer cp old:/data new:/', 'from one container to another'],
  ]);
}
