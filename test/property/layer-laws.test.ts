// Laws of layers: writing and applying are inverse, and a difference is what turns one tree into the other.
// Kernel overlayfs makes the upper directories, so that all its forms of "gone", "opaque" and "moved" occur.

import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diffLayers, writeLayer } from '../../src/layer/index.js';
import type { DiffLayersOptions, TarEntry } from '../../src/layer/index.js';
import { changed, shown } from '../unit/layer/overlay-mount.js';
import { entry, pack } from '../unit/layer/support.js';
import { apply, look, temporary } from '../unit/layer/tree.js';
import type { Seen } from '../unit/layer/tree.js';

const RUNS = Number(process.env['VENEER_PROPERTY_RUNS'] ?? 40);

async function tarOf(upper: readonly string[], lower: readonly string[]): Promise<Buffer> {
  const chunks: Buffer[] = [];
  await writeLayer({ upper, lower, sink: (chunk) => void chunks.push(Buffer.from(chunk)) });
  return Buffer.concat(chunks);
}

const name = fc.constantFrom('a', 'b', 'c', 'a-b', '\xff');
const deepPath = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/'));
const time = fc.record({ sec: fc.integer({ min: -1000, max: 2_000_000_000 }), nsec: fc.nat(999_999_999) });

const tarEntry: fc.Arbitrary<TarEntry & { content: string }> = fc
  .record({
    path: deepPath,
    type: fc.constantFrom('file', 'directory', 'symlink', 'fifo', 'char'),
    mode: fc.nat(0o7777),
    uid: fc.constantFrom(0, 1000, 3_000_000),
    gid: fc.constantFrom(0, 5),
    mtime: time,
    content: fc.string({ maxLength: 20 }).map((text) => Buffer.from(text).toString('latin1')),
    xattrs: fc.constantFrom(new Map(), new Map([['user.k', Buffer.from([0, 255])]])) as fc.Arbitrary<
      Map<string, Buffer>
    >,
  })
  .map(({ path: where, type, content, xattrs, ...fields }) => ({
    ...entry(where, fields),
    type,
    content: type === 'file' ? content : '',
    linkTarget: type === 'symlink' ? 'target' : '',
    ...(type === 'char' ? { devMajor: 1, devMinor: 3 } : {}),
    // The kernel has user attributes on files and directories only.
    xattrs: type === 'file' || type === 'directory' ? xattrs : new Map<string, Buffer>(),
  }));

/** Entries that no earlier one stands in the way of. */
function consistent<E extends TarEntry>(entries: readonly E[]): E[] {
  const types = new Map<string, string>();
  return entries.filter((each) => {
    const parents = each.path.split('/').map((_, index, parts) => parts.slice(0, index).join('/'));
    if (parents.some((parent) => types.has(parent) && types.get(parent) !== 'directory')) return false;
    if (types.has(each.path)) return false;
    for (const parent of parents) types.set(parent, 'directory');
    types.set(each.path, each.type);
    return true;
  });
}

type Operation = (root: string) => void;

const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.tuple(deepPath, fc.string({ maxLength: 5 })).map(
    ([to, text]) =>
      (root: string) =>
        append(bytes(root, to), text),
  ),
  deepPath.map((to) => (root: string) => fs.rmSync(bytes(root, to), { recursive: true })),
  deepPath.map((to) => (root: string) => fs.mkdirSync(bytes(root, to))),
  fc.tuple(deepPath, deepPath).map(
    ([from, to]) =>
      (root: string) =>
        fs.renameSync(bytes(root, from), bytes(root, to)),
  ),
  fc.tuple(deepPath, deepPath).map(
    ([from, to]) =>
      (root: string) =>
        fs.linkSync(bytes(root, from), bytes(root, to)),
  ),
  deepPath.map((to) => (root: string) => fs.symlinkSync('x', bytes(root, to))),
  fc.tuple(deepPath, fc.nat(0o777)).map(
    ([to, mode]) =>
      (root: string) =>
        fs.chmodSync(bytes(root, to), mode),
  ),
  fc.tuple(deepPath, fc.nat(1000)).map(
    ([to, uid]) =>
      (root: string) =>
        fs.lchownSync(bytes(root, to), uid, 7),
  ),
  fc.tuple(deepPath, fc.nat(1e9)).map(
    ([to, when]) =>
      (root: string) =>
        fs.lutimesSync(bytes(root, to), when, when),
  ),
);

function bytes(root: string, to: string): string {
  // Node takes names as UTF-8: the one that is not is spelt differently here.
  return path.join(root, to.replaceAll('\xff', 'd'));
}

/** Opening a fifo would wait for its reader. */
function append(file: string, text: string): void {
  const fd = fs.openSync(
    file,
    fs.constants.O_WRONLY | fs.constants.O_CREAT | fs.constants.O_APPEND | fs.constants.O_NONBLOCK,
  );
  fs.writeSync(fd, text);
  fs.closeSync(fd);
}

/** An operation that the kernel refuses changes nothing. */
function perform(operations: readonly Operation[]): Operation {
  return (root) => {
    for (const operate of operations) {
      try {
        operate(root);
      } catch (error) {
        if (!(error instanceof Error && 'code' in error)) throw error;
      }
    }
  };
}

type Tree = Record<string, Seen>;

/** Which names share a file is not kept where only one of them is in the layer. */
function withoutLinks(tree: Tree): Tree {
  return Object.fromEntries(Object.entries(tree).map(([where, { sameAs: _, ...seen }]) => [where, seen]));
}

/** The difference of two trees by the definition, as lines. */
function difference(now: Tree, before: Tree): string[] {
  const parent = (where: string) => (where.includes('/') ? where.slice(0, where.lastIndexOf('/')) : '.');
  const kinds = new Map<string, string>();
  for (const [where, seen] of Object.entries(now)) {
    const old = before[where];
    // What a file replaced has no children.
    const isNew = old === undefined || kinds.get(parent(where)) === 'A' || before[parent(where)]?.type !== 'dir';
    if (where === '.') continue;
    if (isNew) kinds.set(where, 'A');
    else if (JSON.stringify(old) !== JSON.stringify(seen)) kinds.set(where, 'C');
  }
  for (const where of Object.keys(before)) {
    if (now[where] === undefined && now[parent(where)]?.type === 'dir') kinds.set(where, 'D');
  }
  for (const where of [...kinds.keys()]) {
    for (let up = parent(where); up !== '.'; up = parent(up)) if (!kinds.has(up)) kinds.set(up, 'C');
  }
  return [...kinds].map(([where, kind]) => `${where} ${kind}`).sort();
}

const LETTERS = { added: 'A', modified: 'C', deleted: 'D' } as const;

/** `A path` for each change, sorted. */
function listed(options: DiffLayersOptions): string[] {
  return [...diffLayers(options)].map((change) => `${change.path} ${LETTERS[change.kind]}`).sort();
}

interface Grown {
  /** Top first. */
  readonly layers: readonly string[];
  readonly seen: Tree;
}

/** Puts a layer on a stack for each round of operations. */
function grow(from: Grown, rounds: readonly (readonly Operation[])[]): Grown {
  return rounds.reduce(({ layers }: Grown, operations) => {
    const { upper, seen } = changed(layers, perform(operations));
    return { layers: [upper, ...layers], seen };
  }, from);
}

const bottomLayer = fc.array(tarEntry, { minLength: 3, maxLength: 10 });
const someRounds = (least: number) =>
  fc.array(fc.array(operation, { minLength: 1, maxLength: 10 }), { minLength: least, maxLength: 2 });

async function unpackedBottom(entries: readonly (TarEntry & { content: string })[]): Promise<Grown> {
  const renamed = entries.map((each) => ({ ...each, path: each.path.replaceAll('\xff', 'd') }));
  const { target } = await apply(await pack(consistent(renamed)));
  return { layers: [target], seen: look(target) };
}

describe('the laws of layers', () => {
  it('unpacking what was written gives the same tree, and writing that the same bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(tarEntry, { maxLength: 8 }), async (entries) => {
        const { target: first } = await apply(await pack(consistent(entries)));
        const tar = await tarOf([first], []);
        const { target: second } = await apply(tar);
        expect(look(second)).toEqual(look(first));
        expect((await tarOf([second], [])).equals(tar)).toBe(true);
      }),
      { numRuns: RUNS },
    );
  });

  it('a layer turns the tree below into the tree it was made from', { timeout: 600_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(bottomLayer, someRounds(1), async (entries, rounds) => {
        const below = await unpackedBottom(entries);
        const { layers, seen } = grow(below, rounds);
        const [bottom] = below.layers as [string];
        const uppers = layers.slice(0, -1);
        expect(listed({ upper: uppers, lower: [bottom] })).toEqual(
          difference(withoutLinks(seen), withoutLinks(below.seen)),
        );
        const tar = await tarOf(uppers, [bottom]);
        const { target } = await apply(tar, { lower: [bottom] });
        expect(withoutLinks(shown([target, bottom]))).toEqual(withoutLinks(seen));
        expect((await tarOf([target], [bottom])).equals(tar)).toBe(true);
      }),
      { numRuns: RUNS },
    );
  });

  it(
    'the difference of any two stacks turns one into the other, whatever they share',
    { timeout: 600_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(
          bottomLayer,
          fc.option(bottomLayer),
          fc.tuple(someRounds(0), someRounds(0), someRounds(1)),
          async (entries, others, [common, one, other]) => {
            const shared = grow(await unpackedBottom(entries), common);
            const before = grow(shared, one);
            const now = grow(others === null ? shared : await unpackedBottom(others), other);
            expect(listed({ now: now.layers, before: before.layers })).toEqual(
              difference(withoutLinks(now.seen), withoutLinks(before.seen)),
            );
            expect(listed({ now: before.layers, before: before.layers })).toEqual([]);
            // Two copies of one layer have no place in common, and no difference.
            const copy = temporary();
            execFileSync('cp', ['-a', `${now.layers[0]!}/.`, copy]);
            expect(listed({ now: [copy, ...now.layers.slice(1)], before: now.layers })).toEqual([]);
            const chunks: Buffer[] = [];
            await writeLayer({
              now: now.layers,
              before: before.layers,
              sink: (chunk) => void chunks.push(Buffer.from(chunk)),
            });
            const { target } = await apply(chunks, { lower: before.layers });
            expect(withoutLinks(shown([target, ...before.layers]))).toEqual(withoutLinks(now.seen));
          },
        ),
        { numRuns: RUNS },
      );
    },
  );
});
