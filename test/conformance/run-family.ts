// Runs a family of checks on every backend. All checks of a family share one mount per backend, each in a directory of
// its own name; what they leave behind is compared between the backends, across re-mounts and across the two overlays.

import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BACKEND_KINDS, backendGate, loggedErrors, mountStaged, stage } from '../helpers/backends.js';
import type { BackendKind, Layers, Mounted, Staged } from '../helpers/backends.js';
import { dir } from '../helpers/layer-spec.js';
import type { LayerNode, LayerSpec } from '../helpers/layer-spec.js';
import { HungError, tempDir, withDeadline } from '../helpers/tmp.js';
import { expectSameTree, inMilliseconds, inodes, snapshot } from '../helpers/tree.js';
import type { Tree } from '../helpers/tree.js';
import type { Check } from './check.js';
import { Ctx } from './ctx.js';
import { deviationOf } from './deviations.js';

const CHECK_DEADLINE = 15_000;
const SNAPSHOT_DEADLINE = 30_000;

const directoryOf = (check: Check): string => check.name.replace(/[^A-Za-z0-9.+-]+/g, '_');

/** The layers of all checks, each below its own directory. */
function combine(checks: readonly Check[], kind: BackendKind): Required<Layers> {
  const depth = Math.max(1, ...checks.map(({ lower = [] }) => lower.length));
  const below = (check: Check, spec: LayerSpec): [string, LayerNode | string][] =>
    Object.entries(spec).map(([name, node]) => [
      `${directoryOf(check)}/${name}`,
      typeof node === 'object' && node.kind === 'link'
        ? { kind: 'link', to: `${directoryOf(check)}/${node.to}` }
        : node,
    ]);
  const runnable = checks.filter(({ on }) => on === undefined || on.includes(kind));
  const lower = Array.from({ length: depth }, (_, index): LayerSpec => {
    const bottom = index === depth - 1 ? checks.map((check): [string, LayerNode] => [directoryOf(check), dir()]) : [];
    return Object.fromEntries([...bottom, ...runnable.flatMap((check) => below(check, check.lower?.[index] ?? {}))]);
  });
  return { lower, upper: Object.fromEntries(runnable.flatMap((check) => below(check, check.upper ?? {}))) };
}

/** What became of one backend: the tree its checks left, and its directories for others to mount. */
interface Outcome {
  readonly staged: Staged;
  readonly tree: Tree;
  readonly inodes: ReadonlyMap<string, string>;
  readonly lowersBefore: readonly Tree[];
}

/** A tree, and through what it was looked at. */
interface Sight {
  readonly kind: BackendKind;
  readonly tree: Tree;
}

export interface FamilyOptions {
  /** False mounts the lower layers alone, read-only. */
  readonly upper?: boolean;
  /** False leaves out fuse-native, for a reason given where it is said. */
  readonly native?: boolean;
}

export function runFamily(family: string, checks: readonly Check[], options: FamilyOptions = {}): void {
  const started = Math.floor(Date.now() / 1000);
  const temp = tempDir(`conformance-${family}`);
  const outcomes = new Map<BackendKind, Outcome>();
  const read = (root: string): Tree =>
    withDeadline(`snapshot of ${root}`, SNAPSHOT_DEADLINE, () => snapshot(root, { newSince: started }));
  const readInodes = (root: string): Map<string, string> =>
    withDeadline(`inodes of ${root}`, SNAPSHOT_DEADLINE, () => inodes(root));

  afterAll(() => temp.remove());

  const takesPart = (kind: BackendKind): boolean => kind !== 'fuse-native' || options.native !== false;

  for (const kind of BACKEND_KINDS.filter(takesPart)) {
    const gate = backendGate(kind);
    describe.skipIf(gate.skip)(gate.title(`${family} on ${kind}`), () => {
      let mounted: Mounted;
      let lowersBefore: Tree[];

      beforeAll(async () => {
        const base = path.join(temp.path, kind);
        mkdirSync(base, { mode: 0o755 });
        const { lower, upper } = combine(checks, kind);
        const staged = stage(base, options.upper === false ? { lower } : { lower, upper }, kind);
        lowersBefore = staged.lowers.map((lower) => snapshot(lower));
        mounted = await mountStaged(kind, staged);
      });

      for (const check of checks) {
        if (check.on?.includes(kind) === false) continue;
        const deviation = deviationOf(family, check.name, kind);
        const run = async (): Promise<void> => {
          const ctx = new Ctx(kind, path.join(mounted.root, directoryOf(check)));
          try {
            withDeadline(check.name, CHECK_DEADLINE, () => check.run(ctx));
          } catch (error) {
            if (error instanceof HungError) mounted = await mountStaged(kind, mounted.staged);
            throw error;
          } finally {
            ctx.closeAll();
          }
        };
        if (deviation?.part !== 'check') test(check.name, run);
        else test(`${check.name} (deviates: ${deviation.why})`, () => expect(run()).rejects.toThrow());
      }

      afterAll(async () => {
        const tree = read(mounted.root);
        const numbers = readInodes(mounted.root);
        await mounted.unmount();
        outcomes.set(kind, { staged: mounted.staged, tree, inodes: numbers, lowersBefore });
      });
    });
  }

  describe('what the checks leave', () => {
    const runs = (check: Check, kind: BackendKind): boolean => check.on === undefined || check.on.includes(kind);
    /** The tree without the directories of other checks. */
    const only = (tree: Tree, kept: readonly Check[]): Tree => {
      const names = new Set(kept.map(directoryOf));
      return new Map([...tree].filter(([name]) => names.has(name.split('/')[0]!)));
    };
    /** The checks whose trees the two show alike: both run them, and no deviation is known. */
    const alike = (...kinds: readonly BackendKind[]): Check[] =>
      checks.filter((check) =>
        kinds.every((kind) => runs(check, kind) && deviationOf(family, check.name, kind) === undefined),
      );
    const expectAlike = (expected: Sight, actual: Sight, kept: readonly Check[]): void => {
      // What came through fuse-native has times in milliseconds.
      const coarse = expected.kind !== actual.kind && [expected.kind, actual.kind].includes('fuse-native');
      const view = ({ tree }: Sight): Tree => only(coarse ? inMilliseconds(tree) : tree, kept);
      expectSameTree(view(expected), view(actual));
    };
    const compare = (expected: BackendKind, actual: BackendKind): void => {
      const sight = (kind: BackendKind): Sight => ({ kind, tree: outcomes.get(kind)!.tree });
      expectAlike(sight(expected), sight(actual), alike(expected, actual));
    };
    const remounted = async (kind: BackendKind, staged: Staged): Promise<Tree> => {
      const mounted = await mountStaged(kind, staged);
      try {
        return read(mounted.root);
      } finally {
        await mounted.unmount();
      }
    };
    const servers = (['veneer', 'fuse-native'] as const).filter(takesPart);
    const overlays = ['kernel', ...servers] as const;

    test.for(overlays)('is on %s what it is in a plain directory', (kind, { skip }) => {
      skip(!outcomes.has(kind) || !outcomes.has('plain'));
      compare('plain', kind);
    });

    test('is on veneer what it is on kernel', ({ skip }) => {
      skip(!outcomes.has('veneer') || !outcomes.has('kernel'));
      compare('kernel', 'veneer');
    });

    test.for(overlays)('leaves the lower layers of %s as they were', (kind, { skip }) => {
      const outcome = outcomes.get(kind);
      if (outcome === undefined) return skip();
      outcome.staged.lowers.forEach((lower, index) => expectSameTree(outcome.lowersBefore[index]!, snapshot(lower)));
    });

    test.for(overlays)('has on %s the same inode numbers when mounted again', async (kind, { skip }) => {
      const outcome = outcomes.get(kind);
      if (outcome === undefined) return skip();
      const mounted = await mountStaged(kind, outcome.staged);
      const again = readInodes(mounted.root);
      await mounted.unmount();
      const changed = [...outcome.inodes].filter(([name, ino]) => again.get(name) !== ino);
      expect(changed.map(([name, ino]) => `${name}: ${ino} -> ${String(again.get(name))}`)).toEqual([]);
    });

    test.for(servers)('leaves no error in the log of %s', (kind, { skip }) => {
      const outcome = outcomes.get(kind);
      if (outcome === undefined) return skip();
      expect(loggedErrors(outcome.staged)).toEqual([]);
    });

    // In this order: each leaves the upper a mount of the other kind can read.
    const pairs = [
      ['kernel', 'kernel'],
      ['veneer', 'veneer'],
      ['veneer', 'kernel'],
      ['kernel', 'veneer'],
      ['fuse-native', 'fuse-native'],
      ['fuse-native', 'veneer'],
    ] as const;
    test.each(pairs.filter(([writer]) => takesPart(writer)))(
      'by %s is the same when mounted by %s',
      async (writer, reader) => {
        const outcome = outcomes.get(writer);
        if (outcome === undefined || backendGate(reader).skip) return;
        const kept = writer === reader ? checks : alike(writer, reader);
        const again = { kind: reader, tree: await remounted(reader, outcome.staged) };
        expectAlike({ kind: writer, tree: outcome.tree }, again, kept);
      },
    );
  });
}
