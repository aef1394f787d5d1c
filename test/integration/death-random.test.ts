// kill -9 of the server at a random moment of random work. A second set of the same layers, mounted by kernel overlayfs,
// is taken to where the answers end: what is found after a re-mount is that, or that and the operation in flight.
//   VENEER_FUZZ_SEED=123 FUZZ_ROUNDS=1 npx vitest run test/integration/death-random.test.ts

import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { fuzzLayers } from '../conformance/fuzz-layers.js';
import type { FuzzLayers } from '../conformance/fuzz-layers.js';
import { operation } from '../conformance/fuzz-operations.js';
import type { Operation } from '../conformance/fuzz-operations.js';
import { Player } from '../conformance/fuzz-player.js';
import { backendGate, loggedErrors, mountStaged, stage } from '../helpers/backends.js';
import { buryServer, expectOneOf, leftInWork, shownBy, treeSince } from '../helpers/death.js';
import type { LayerNode, LayerSpec } from '../helpers/layer-spec.js';
import { tempDir, withDeadline } from '../helpers/tmp.js';
import type { TempDir } from '../helpers/tmp.js';
import { expectSameTree } from '../helpers/tree.js';

const FIRST_SEED = Number(process.env['VENEER_FUZZ_SEED'] ?? 1);
const ROUNDS = Number(process.env['FUZZ_ROUNDS'] ?? 30);
/** More than a server answers before it is killed. */
const OPERATIONS = 6000;
/** Milliseconds from the first operation to the kill. */
const LATEST_KILL = 250;

/** Big enough to be copied by the server's second thread, so that a kill finds copies half made. */
const BIG = Buffer.alloc(1_500_000, 'big file ');

interface Round {
  readonly seed: number;
  readonly layers: FuzzLayers;
  readonly operations: readonly Operation[];
  readonly killAfter: number;
}

/** One operation is one change: a kill leaves it done or not done. Handles do not outlive the server. */
const isOneChange = ({ op }: Operation): boolean => !/^(open|close|handle-.*|read|list)$/.test(op);

function enlarge(spec: LayerSpec): LayerSpec {
  const enlarged = Object.entries(spec).map(([name, node]): [string, LayerNode | string] => {
    const big = typeof node === 'object' && node.kind === 'file' && node.content.length > 1000;
    return [name, big ? { ...node, content: BIG } : node];
  });
  return Object.fromEntries(enlarged);
}

function makeRound(seed: number): Round {
  const operations = fc.array(operation.filter(isOneChange), { minLength: OPERATIONS, maxLength: OPERATIONS });
  const delay = fc.integer({ min: 1, max: LATEST_KILL });
  const [layers, sequence, killAfter] = fc.sample(fc.tuple(fuzzLayers, operations, delay), { seed, numRuns: 1 })[0]!;
  const big = { lower: layers.lower.map(enlarge), upper: enlarge(layers.upper) };
  return { seed, layers: big, operations: sequence, killAfter };
}

/** What an operation answers when the server is gone: at once, or while it waited. */
const isEndOfServer = (answer: string): boolean => /^(ENOTCONN|ECONNABORTED|errno 103)$/.test(answer);

/** Answers up to the end of the server; the operation after the last one was in flight, or came too late, if there is one. */
function playToTheEnd(root: string, round: Round): string[] {
  const player = new Player(root);
  const answers: string[] = [];
  for (const next of round.operations) {
    const answer = player.play(next);
    if (isEndOfServer(answer)) return answers;
    answers.push(answer);
  }
  return answers;
}

const gates = [backendGate('kernel'), backendGate('veneer')];
let temp: TempDir;
afterEach(() => temp.remove());

describe.skipIf(gates.some((gate) => gate.skip))('kill -9 of the server', () => {
  const seeds = Array.from({ length: ROUNDS }, (_, index) => FIRST_SEED + index);

  test.each(seeds)('seed %i: each file is old or new', async (seed) => {
    const started = Math.floor(Date.now() / 1000);
    const round = makeRound(seed);
    temp = tempDir('death');
    const at = (name: string): string => {
      mkdirSync(path.join(temp.path, name), { mode: 0o755 });
      return path.join(temp.path, name);
    };
    const staged = stage(at('veneer'), round.layers, 'veneer');
    const mounted = await mountStaged('veneer', staged);
    const seconds = String(round.killAfter / 1000);
    spawn('sh', ['-c', `sleep ${seconds}; kill -9 ${String(mounted.pid)}`], { stdio: 'ignore' });
    const answers = withDeadline('random work', 30_000, () => playToTheEnd(mounted.root, round));
    await buryServer(mounted.pid!, mounted.root);

    const kernel = await mountStaged('kernel', stage(at('kernel'), round.layers, 'kernel'));
    const reference = new Player(kernel.root);
    answers.forEach((answer, step) => {
      expect(reference.play(round.operations[step]!), `step ${String(step)}`).toBe(answer);
    });
    const old = treeSince(kernel.root, started);
    const inFlight = round.operations[answers.length];
    if (inFlight !== undefined) reference.play(inFlight);
    const allowed = [old, treeSince(kernel.root, started)];
    await kernel.unmount();

    try {
      const again = await mountStaged('veneer', staged);
      expect(leftInWork(staged)).toEqual([]);
      const found = treeSince(again.root, started);
      expectOneOf(allowed, found);
      await again.unmount();
      expectSameTree(found, await shownBy('kernel', staged, started));
      expect(loggedErrors(staged)).toEqual([]);
    } catch (error) {
      const story = `step ${String(answers.length)} in flight: ${JSON.stringify(inFlight)}`;
      throw new Error(`${(error as Error).message}\n${story}`, { cause: error });
    }
  });
});
