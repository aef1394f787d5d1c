import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Option } from 'commander';
import type { Command } from 'commander';
import { VeneerError } from '../../core/index.js';
import { familiarName, familiarReference, formatReference, isNameOnly } from '../../image/index.js';
import { parseTaggedName } from '../../store/index.js';
import type { Store, TaggedName } from '../../store/index.js';
import type { PushedImage } from '../../transfer/index.js';
import { parseLevel } from '../compression-level.js';
import { addExamples } from '../examples.js';
import { interruptible } from '../interruption.js';
import { writeLine } from '../output.js';
import { ProgressBoard } from '../progress.js';
import { showPush } from '../push-progress.js';
import { addRegistryOptions, withRegistry } from '../registry.js';
import type { RegistryOptions } from '../registry.js';
import { withoutTransport } from '../remote-reference.js';
import { withStore } from '../store.js';

interface Options extends RegistryOptions {
  readonly allTags?: true;
  readonly compression?: 'gzip' | 'zstd';
  readonly compressionLevel?: string;
  readonly format?: 'docker' | 'oci';
  readonly digestfile?: string;
  readonly quiet?: true;
}

/** The name to push under; with --all-tags, any of its tags. */
function nameOf([image, destination]: readonly [string, string | undefined], { allTags }: Options): TaggedName {
  const text = destination ?? image;
  if (/^(?:sha256:)?[0-9a-f]{64}$/.test(text)) {
    throw new VeneerError('usage', 'an ID is no name to push an image under', {
      hint: 'add the name it is to have: veneer push IMAGE NAME[:TAG]',
    });
  }
  if (allTags === true && !isNameOnly(text)) {
    throw new VeneerError('usage', `--all-tags takes a name without a tag or digest, not '${text}'`);
  }
  return parseTaggedName(withoutTransport(text));
}

/** Without a destination it goes by its name: what could be the start of an ID is none. */
function oneOf(
  name: TaggedName,
  [image, destination]: readonly [string, string | undefined],
): { name: TaggedName; image: string } {
  return { name, image: destination === undefined ? familiarReference(name) : image };
}

/** All tags of a repository. Throws `not-found`. */
function allTags(store: Store, { registry, repository }: TaggedName): { name: TaggedName; image: string }[] {
  const prefix = `${registry}/${repository}:`;
  const tags = store.images.list().flatMap(({ references }) => references.filter((it) => it.startsWith(prefix)));
  if (tags.length > 0) return tags.sort().map((image) => ({ name: parseTaggedName(image), image }));
  throw new VeneerError('not-found', `no image has a tag in '${familiarName({ registry, repository })}'`);
}

/** What is not there is found out before the registry is asked for anything. */
function requireImage(store: Store, image: string, { isDestination }: { isDestination: boolean }): void {
  if (!isDestination || store.images.find(image) !== undefined) {
    store.images.resolve(image);
    return;
  }
  throw new VeneerError('not-found', `no such image: ${image}`, {
    hint: `an image that has another name here: veneer push IMAGE ${image}`,
  });
}

/** Docker's last line. */
function summaryOf({ tag }: TaggedName, { digest, size }: PushedImage): string {
  return `${tag}: digest: ${digest} size: ${String(size)}`;
}

/** Found out before the push, not after it. */
function checkDigestFile(file: string): void {
  const directory = path.dirname(path.resolve(file));
  if (existsSync(directory)) return;
  throw new VeneerError('not-found', `--digestfile: there is no directory '${directory}'`);
}

/** What a short name is for Docker Hub is not what whoever pushes it means. */
function explained(error: unknown, { registry, repository, tag }: TaggedName): unknown {
  const isOfficial = registry === 'docker.io' && repository.startsWith('library/');
  if (!isOfficial || !(error instanceof VeneerError) || error.code !== 'permission') return error;
  const short = `${repository.slice('library/'.length)}:${tag}`;
  return new VeneerError('permission', error.message, {
    hint: `docker.io/library is Docker's own. Push it to a name of yours: veneer push ${short} USER/${short}`,
    cause: error,
  });
}

async function run(command: Command, args: readonly [string, string | undefined], options: Options): Promise<void> {
  const { compression, compressionLevel, format, digestfile, quiet } = options;
  const level =
    compressionLevel === undefined
      ? undefined
      : parseLevel('--compression-level', compressionLevel, compression ?? 'gzip');
  if (format === 'docker' && compression === 'zstd') {
    throw new VeneerError('usage', 'the format docker has no layers compressed with zstd', {
      hint: 'use --format oci',
    });
  }
  if (options.allTags === true && (args[1] !== undefined || digestfile !== undefined)) {
    throw new VeneerError('usage', '--all-tags goes with neither a destination nor --digestfile');
  }
  if (digestfile !== undefined) checkDigestFile(digestfile);
  const name = nameOf(args, options);
  const { pushImage } = await import('../../transfer/index.js');
  using board = new ProgressBoard({ quiet });
  await withStore(command, async (store) => {
    const pushes = options.allTags === true ? allTags(store, name) : [oneOf(name, args)];
    for (const { image } of pushes) requireImage(store, image, { isDestination: args[1] === undefined });
    board.note(`The push refers to repository [${name.registry}/${name.repository}]`);
    const settings = { compression, level, format, onProgress: showPush(board, name) };
    await interruptible((signal) =>
      withRegistry(
        options,
        async (client) => {
          for (const { name, image } of pushes) {
            const pushed = await pushImage(store, client, name, { ...settings, image, signal }).catch(
              (error: unknown) => {
                throw explained(error, name);
              },
            );
            if (digestfile !== undefined) writeFileSync(digestfile, pushed.digest);
            board.aside(() => writeLine(quiet === true ? formatReference(name) : summaryOf(name, pushed)));
          }
        },
        { board },
      ),
    );
  });
}

export function configure(command: Command): void {
  command
    .argument('<image>', 'a name, under which it goes; with a destination, an ID, too')
    .argument('[destination]', 'the name to push it under')
    .option('-a, --all-tags', 'all tags of the repository')
    .addOption(
      new Option('--compression <method>', 'of layers (default: as they came, else gzip)').choices(['gzip', 'zstd']),
    )
    .option('--compression-level <number>', 'how hard to compress what is not compressed yet (gzip: 4, zstd: 3)')
    .addOption(
      new Option('--format <format>', 'of the manifest (default: the one it came with, else oci)').choices([
        'oci',
        'docker',
      ]),
    )
    .option('--digestfile <file>', "write the manifest's digest to a file")
    .option('-q, --quiet', 'no progress; print the name alone');
  addRegistryOptions(command);
  command.action((image: string, destination: string | undefined, options: Options) =>
    run(command, [image, destination], options),
  );
  addExamples(command, [
    ['veneer push registry.example.com/team/app:v2', 'to the registry of its name'],
    ['veneer push app:v2 localhost:5000/app:v2', 'an image under another name'],
    ['veneer push --all-tags registry.example.com/team/app', 'all its tags; layers they share go once'],
    ['veneer push --compression zstd registry.example.com/app', 'smaller and faster, for those who can read it'],
    ['veneer push --digestfile digest registry.example.com/app', 'for a deployment that names it by digest'],
  ]);
}
