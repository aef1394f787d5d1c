import type { Command } from 'commander';
import { VeneerError } from '../../core/index.js';
import type { ByteString } from '../../core/index.js';
import type { Store } from '../../store/index.js';
import { parseByteSize, parseCount } from '../arguments.js';
import { printBytes } from '../byte-output.js';
import { changeLine, jsonChange, jsonDetails, jsonLine, patchText } from '../diff-lines.js';
import { statGroups, statLines } from '../diff-stat.js';
import { addExamples } from '../examples.js';
import { withStore } from '../store.js';

interface Options {
  readonly stat?: true;
  readonly depth?: string;
  readonly patch?: true;
  readonly maxFileSize?: string;
  readonly format?: string;
}

interface Comparison {
  readonly from: string;
  readonly to: string | undefined;
  readonly paths: readonly string[] | undefined;
}

/** The words after `--`, which commander passes on like any others, are paths. */
function comparisonOf(command: Command, words: readonly string[]): Comparison {
  const { rawArgs } = rootOf(command) as Command & { rawArgs: readonly string[] };
  const dashes = rawArgs.indexOf('--');
  const pathCount = dashes < 0 ? 0 : rawArgs.length - dashes - 1;
  const [from, to, ...more] = words.slice(0, words.length - pathCount);
  if (from === undefined || more.length > 0) {
    throw new VeneerError(
      'usage',
      from === undefined ? 'diff: what to compare is missing' : 'diff: too many arguments',
      {
        hint: 'veneer diff A [B] [-- PATH...]: paths in the trees stand after --',
      },
    );
  }
  return { from, to, paths: pathCount === 0 ? undefined : words.slice(-pathCount) };
}

function rootOf(command: Command): Command {
  return command.parent === null ? command : rootOf(command.parent);
}

function checkOptions({ stat, depth, patch, maxFileSize, format }: Options): void {
  const wrong = (why: string, hint?: string): VeneerError =>
    new VeneerError('usage', `diff: ${why}`, hint === undefined ? {} : { hint });
  if (format !== undefined && format !== 'json') throw wrong(`unknown format '${format}'`, "the one format is 'json'");
  if (patch === true && stat === true) throw wrong('--stat and --patch exclude each other');
  if (patch === true && format !== undefined) throw wrong('a patch has no other format');
  if (depth !== undefined && stat !== true) throw wrong('--depth needs --stat');
  if (maxFileSize !== undefined && patch !== true) throw wrong('--max-file-size needs --patch');
}

/** What is printed, in pieces. */
async function* output(store: Store, comparison: Comparison, options: Options): AsyncGenerator<ByteString> {
  const { compareTrees, diffTrees, patchTrees } = await import('../../container/index.js');
  const json = options.format === 'json';
  const depth = options.depth === undefined ? undefined : parseCount('--depth', options.depth);
  const maxFileSize =
    options.maxFileSize === undefined ? undefined : parseByteSize('--max-file-size', options.maxFileSize);
  if (options.patch === true) {
    for await (const lines of patchTrees(store, { ...comparison, maxFileSize })) yield patchText(lines);
  } else if (options.stat !== true) {
    for await (const change of diffTrees(store, comparison))
      yield json ? jsonLine(jsonChange(change)) : changeLine(change);
  } else if (!json) yield* statLines(compareTrees(store, comparison), depth);
  else if (depth === undefined) {
    for await (const change of compareTrees(store, comparison)) yield jsonLine(jsonDetails(change));
  } else {
    for await (const group of statGroups(compareTrees(store, comparison), depth)) yield jsonLine(group);
  }
}

const MEANING = `
A and B are each one of:
  CONTAINER     by name or ID: its image with what it has changed
  IMAGE         by name or ID
  IMAGE@LAYER   an image up to a layer: a number from 1 (the bottom), or the start of a DiffID or ChainID
  LAYER         the start (four digits or more) of a ChainID or DiffID: the layer with those below it
  DIR           a directory: ./DIR, /DIR, or a path with a slash that is none of the above

With B, the changes that turn A into B. Without, what A itself has changed: a container against its image, an image or a
layer by its top layer.

--format json prints an object a line: Kind (A, C or D) and Path; PathBytes (base64) where the path is not UTF-8. With --stat
also Old and New, where there was and is something: Type, Size in bytes, Mode (octal), Uid, Gid, Modified; with --depth
instead Paths, OldSize and NewSize.

--patch writes what git calls a diff: 'git apply' and 'patch -p1' apply it. What git has no words for (owners, exact modes,
attributes, devices, directories) stands in blocks 'diff --veneer', which those programs pass over.`;

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] A [B] [-- PATH...]')
    .argument('<what...>', 'one or two of containers, images, layers and directories; after --, the paths to look at')
    .option('--stat', 'sizes: before, now, and in all')
    .option('--depth <n>', 'with --stat: sum up what lies deeper than that many names')
    .option('-p, --patch', 'the contents, as a unified diff')
    .option('--max-file-size <size>', 'with --patch: do not compare the lines of larger files (1MiB)')
    .option('--format <format>', "'json': one object a line")
    .action(async (words: string[], options: Options) => {
      checkOptions(options);
      const comparison = comparisonOf(command, words);
      const { storedName } = await import('../stored-name.js');
      await withStore(command, async (store) => {
        const from = await storedName(store, comparison.from);
        const to = comparison.to === undefined ? undefined : await storedName(store, comparison.to);
        await printBytes(output(store, { ...comparison, from, to }, options));
      });
    });
  addExamples(command, [
    ['veneer diff work', 'A added, C changed, D deleted, against its image'],
    ['veneer diff work | grep ^D', 'only what was deleted'],
    ['veneer diff base base:v2 --stat', 'between two images, with sizes'],
    ['veneer diff base@1 base@3 -p -- etc', 'what layers 2 and 3 did to /etc, line by line'],
    ['veneer diff -p base work | git apply --directory=tree', 'the same changes to the texts of a directory'],
    ['veneer diff base ./rootfs', 'an image and a directory'],
  ]);
  command.addHelpText('after', MEANING);
}
