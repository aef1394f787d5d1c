import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { CommitChoice, PreviewedChange } from '../../container/index.js';
import { VeneerError, formatSize } from '../../core/index.js';
import type { ByteString } from '../../core/index.js';
import type { Image, Store } from '../../store/index.js';
import { collect, sourceDateEpoch } from '../arguments.js';
import { coloured, printBytes, shownBytes } from '../byte-output.js';
import { KIND_COLOURS, LETTERS, absolute, jsonDetails, jsonLine } from '../diff-lines.js';
import { addExamples } from '../examples.js';
import { interruptible } from '../interruption.js';
import { writeLine } from '../output.js';
import { Progress } from '../progress.js';
import { withStore } from '../store.js';

interface Options {
  readonly message?: string;
  readonly author?: string;
  readonly change?: string[];
  readonly exclude?: string[];
  readonly include?: string[];
  readonly squash?: true;
  readonly pause?: boolean;
  readonly dryRun?: true;
  readonly format?: string;
  readonly iidfile?: string;
  readonly quiet?: true;
}

function choiceOf({ exclude, include, squash }: Options): CommitChoice {
  return {
    ...(exclude === undefined ? {} : { exclude }),
    ...(include === undefined ? {} : { include }),
    ...(squash === undefined ? {} : { squash }),
  };
}

const sizeOf = ({ now }: PreviewedChange): number => now?.size ?? 0;

function* previewLines(changes: readonly PreviewedChange[]): Generator<ByteString> {
  const size = (change: PreviewedChange): string => (change.now?.type === 'file' ? formatSize(sizeOf(change)) : '-');
  const widest = Math.max(0, ...changes.map((change) => size(change).length));
  const line = (change: PreviewedChange): ByteString => {
    const { kind, path } = change;
    const name = `${LETTERS[kind]} ${shownBytes(absolute(path))}`;
    return `${size(change).padStart(widest)}  ${coloured(name, KIND_COLOURS[kind])}\n`;
  };
  const [taken, excluded] = [false, true].map((which) => changes.filter(({ isExcluded }) => isExcluded === which));
  for (const change of taken ?? []) yield line(change);
  if (excluded !== undefined && excluded.length > 0) yield 'Excluded:\n';
  for (const change of excluded ?? []) yield line(change);
  const total = (some: readonly PreviewedChange[] = []): string =>
    `${some.length} (${formatSize(some.reduce((sum, change) => sum + sizeOf(change), 0))})`;
  yield `In the layer: ${total(taken)}, excluded: ${total(excluded)}\n`;
}

function previewJson(change: PreviewedChange): object {
  return { ...jsonDetails(change), Excluded: change.isExcluded };
}

async function preview(store: Store, container: string, options: Options): Promise<void> {
  const { previewCommit } = await import('../../container/index.js');
  const changes = await previewCommit(store, container, choiceOf(options));
  if (options.quiet === true) return;
  await printBytes(
    options.format === 'json' ? changes.map((change) => jsonLine(previewJson(change))) : previewLines(changes),
  );
}

async function commit(
  store: Store,
  { container, name }: { container: string; name: string | undefined },
  options: Options,
): Promise<void> {
  const { commitContainer } = await import('../../container/index.js');
  const { message, author, change, quiet, iidfile, pause } = options;
  const { created } = sourceDateEpoch();
  const progress = new Progress({ label: 'committing' });
  const commitWith = (signal: AbortSignal): Promise<Image> =>
    commitContainer(store, container, {
      ...choiceOf(options),
      signal,
      ...(name === undefined ? {} : { reference: name }),
      ...(message === undefined ? {} : { message }),
      ...(author === undefined ? {} : { author }),
      changes: change ?? [],
      pause,
      ...(created === undefined ? {} : { sourceDateEpoch: created }),
      onProgress: ({ bytes }) => {
        if (quiet !== true) progress.update(bytes);
      },
    });
  const image = await interruptible(commitWith).finally(() => progress.end());
  // As docker build: the ID without a newline.
  if (iidfile !== undefined) writeFileSync(iidfile, image.id);
  writeLine(image.id);
}

function checkOptions({ dryRun, format }: Options): void {
  if (format === undefined) return;
  if (dryRun !== true) throw new VeneerError('usage', 'commit: --format needs --dry-run');
  if (format !== 'json') {
    throw new VeneerError('usage', `commit: unknown format '${format}'`, { hint: "the one format is 'json'" });
  }
}

const MEANING = `
PATTERNs are those of a .dockerignore: of whole paths from the root, with *, **, ?, [a-z] and {a,b}. A pattern covers what it matches and
all below it: 'var/cache' is the directory with all that is in it, 'var/cache/**' only what is in it, '**/*.log' every log. What --exclude covers is left
out unless --include covers it, too; --include alone takes in nothing else. New directories that lead to something in
the layer are in it. Deletions are changes of their paths like others: the deletion of a directory is one of that path.
A directory of which only the time has changed is in the layer only with something in it.

With --exclude, --include, --squash or SOURCE_DATE_EPOCH (seconds since 1970, which dates the image and what is later in the layer)
the container keeps its changes, and the next commit has them again.

--squash makes one layer of all that the container shows; the image's history stays, without its layers.

INSTRUCTIONs are CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ONBUILD, SHELL, STOPSIGNAL, USER, VOLUME and WORKDIR.`;

export function configure(command: Command): void {
  command
    .argument('<container>', 'its name or ID')
    .argument('[name]', 'what to call the image: REPOSITORY[:TAG]')
    .option('-m, --message <text>', "a comment in the image's history")
    .option('-a, --author <name>', 'who made it: "Jane Doe <jane@example.org>"')
    .option('-c, --change <instruction>', 'a Dockerfile instruction to apply (may be repeated)', collect)
    .option('--exclude <pattern>', 'leave out what it covers (may be repeated)', collect)
    .option('--include <pattern>', 'take it in all the same, or nothing else (may be repeated)', collect)
    .option('--squash', 'one layer of everything, in place of those of the image')
    .option('--dry-run', 'list what would be in the layer, with sizes, and make nothing')
    .option('--format <format>', "with --dry-run, 'json': one object a line, as diff --stat, with Excluded")
    .option('--iidfile <file>', "write the image's ID to a file")
    .option('-p, --pause', 'hold a running container for the moment whose state is committed (the default)')
    .option('--no-pause', 'do not: files may be of different moments')
    .option('-q, --quiet', 'no progress')
    .action(async (container: string, name: string | undefined, options: Options) => {
      checkOptions(options);
      await withStore(command, (store) =>
        options.dryRun === true ? preview(store, container, options) : commit(store, { container, name }, options),
      );
    });
  addExamples(command, [
    ['veneer commit work base:v2', "the container's changes as a new layer"],
    ['veneer commit -m "add nginx" -a "Jane Doe" work base:v2', 'with an entry in the history'],
    ['veneer commit -c \'CMD ["nginx"]\' -c "EXPOSE 80" work web', 'with another configuration'],
    ["veneer commit --exclude 'var/cache/**' --dry-run work", 'what would be in the layer without the caches'],
    ['veneer commit --squash work flat', 'an image of a single layer'],
    ['SOURCE_DATE_EPOCH=0 veneer commit work base:v2', 'the same image whenever it is made'],
  ]);
  command.addHelpText('after', MEANING);
}
