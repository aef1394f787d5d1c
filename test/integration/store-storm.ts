// Processes that work on one store and are killed at random, and what must be true of the store afterwards.

import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { on, once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { assembleTar } from '../../src/layer/index.js';
import { Store, isLeftover } from '../../src/store/index.js';
import type { Image } from '../../src/store/index.js';
import { importRootfs, saveImages } from '../../src/transfer/index.js';
import { tempDir } from '../helpers/tmp.js';

const WORKER = path.join(import.meta.dirname, 'store-worker.mjs');

/** Root file systems, archives of images of them, with and without names, and blobs. */
export async function makePool(pool: string): Promise<void> {
  mkdirSync(pool);
  for (const index of [0, 1, 2]) {
    const script = `
      mkdir -p tree/bin tree/etc/deep; cd tree
      for i in 1 2 3 4 5 6 7 8; do echo ${String(index)} $i > etc/$i; ln etc/$i etc/deep/$i; done
      ln -s ../etc bin/link; head -c 2000000 /dev/urandom > bin/data
      find . -exec touch -h -d @1600000000.5 {} +; tar -cf ../root${String(index)}.tar .; cd ..; rm -r tree`;
    execFileSync('sh', ['-euc', script], { cwd: pool });
    writeFileSync(path.join(pool, `blob${String(index)}`), Buffer.alloc(500_000 + index, String(index)));
  }
  using temp = tempDir('pool');
  using store = Store.open(path.join(temp.path, 'root'));
  const images = await Promise.all(
    [0, 1, 2].map(async (index) => {
      const source = { path: path.join(pool, `root${String(index)}.tar`) };
      return (await importRootfs(store, source, { reference: `pool${String(index)}` })).id;
    }),
  );
  await saveImages(store, ['pool0', 'pool1'], { path: path.join(pool, 'image-docker.tar') });
  await saveImages(
    store,
    images.slice(1),
    { path: path.join(pool, 'image-oci.tar') },
    { format: 'oci', compression: 'gzip' },
  );
}

interface Said {
  readonly did?: 'start' | 'add' | 'create';
  readonly will?: 'rm' | 'rmi';
  readonly name?: string;
  readonly id?: string;
}

export interface StormPlaces {
  readonly root: string;
  readonly pool: string;
}

/** One process of the storm. */
class Worker {
  readonly #child: ChildProcess;
  readonly #started: Promise<unknown>;
  readonly #closed: Promise<unknown>;
  #output = '';
  complaints = '';

  constructor({ root, pool }: StormPlaces, own: string, seed: number) {
    const args = [WORKER, root, pool, own, String(seed)];
    this.#child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child.stdout?.on('data', (chunk: Buffer) => (this.#output += chunk.toString()));
    this.#child.stderr?.on('data', (chunk: Buffer) => (this.complaints += chunk.toString()));
    this.#closed = once(this.#child, 'close');
    this.#started = Promise.race([once(this.#child.stdout ?? this.#child, 'data'), this.#closed]);
  }

  async start(): Promise<void> {
    await this.#started;
  }

  /** Waits until it has said so often that something was put into the store; not for ever, it may be of another mind. */
  async hasAdded(times: number): Promise<void> {
    const deadline = AbortSignal.timeout(3000);
    try {
      for await (const _data of on(this.#child.stdout ?? this.#child, 'data', { signal: deadline })) {
        if (this.said().filter(({ did }) => did === 'add').length >= times) return;
      }
    } catch (error) {
      if (!deadline.aborted) throw error;
    }
  }

  /** Kills it a while after it has begun. */
  async run(ms: number): Promise<void> {
    await this.start();
    await sleep(ms);
    await this.kill();
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    // Also of one that has ended by itself: until then it may have said more.
    await this.#closed;
  }

  said(): Said[] {
    // The last line may be cut off: then it was not said.
    return this.#output
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Said);
  }
}

/** What processes were told is in the store, and nobody has taken away. */
export class Promised {
  readonly images = new Map<string, string>();
  readonly containers = new Set<string>();
  acknowledged = 0;

  learn(said: readonly Said[]): void {
    for (const { did, will, name = '', id = '' } of said) {
      if (did === 'add') this.images.set(name, id);
      if (did === 'create') this.containers.add(name);
      if (did === 'add' || did === 'create') this.acknowledged += 1;
      if (will === 'rmi') this.images.delete(name);
      if (will === 'rm') this.containers.delete(name);
    }
  }
}

export interface Gust {
  readonly places: StormPlaces;
  /** Starts the names of this round. */
  readonly round: string;
  readonly processes: number;
  readonly random: (limit: number) => number;
  /** Before all are killed: a loss of power. */
  readonly beforeEnd?: () => void;
}

/** Starts processes, lets them work for up to a second each, and kills them. Returns what they said. */
export async function blow({ places, round, processes, random, beforeEnd }: Gust): Promise<Said[]> {
  const workers = Array.from(
    { length: processes },
    (_, index) => new Worker(places, `${round}-${String(index)}`, random(1 << 30)),
  );
  if (beforeEnd !== undefined) {
    await Promise.all(workers.map((worker) => worker.start()));
    // In the middle of something, or as soon as something is said to be done.
    if (random(3) === 0) await sleep(random(1000));
    else await workers[0]?.hasAdded(1 + random(4));
    const said = workers.map((worker) => worker.said().length);
    beforeEnd();
    await Promise.all(workers.map((worker) => worker.kill()));
    // What is done after a loss of power is not done: a call that was under way when the file system was shut down may succeed.
    return workers.flatMap((worker, index) =>
      worker.said().filter(({ will }, at) => at < (said[index] ?? 0) || will !== undefined),
    );
  }
  await Promise.all(workers.map((worker) => worker.run(random(700))));
  const complaints = workers.map((worker) => worker.complaints).join('');
  expect(complaints).toBe('');
  return workers.flatMap((worker) => worker.said());
}

/** A sound store: leftovers at most, which go, and everything promised is there and can be read whole. */
export async function expectKept(root: string, promised: Promised): Promise<{ leftovers: number; tars: number }> {
  using store = Store.open(root);
  const findings = store.check();
  expect(findings.filter((finding) => !isLeftover(finding))).toEqual([]);
  const { lost, remaining } = store.repair();
  expect({ lost, remaining }).toEqual({ lost: [], remaining: [] });
  expect(store.check()).toEqual([]);
  let tars = 0;
  const read = new Set<string>();
  for (const [name, id] of promised.images) {
    const image = store.images.resolve(name);
    expect(image.id).toBe(id);
  }
  for (const image of store.images.list({ all: true })) tars += await readWhole(store, image, read);
  for (const name of promised.containers) expectContainer(store, name);
  return { leftovers: findings.length, tars };
}

/** Everything an image can be given back with; what was read before is not read again. */
async function readWhole(store: Store, image: Image, read: Set<string>): Promise<number> {
  let tars = 0;
  store.images.configBytes(image.id);
  for (const [index, id] of image.layers.entries()) {
    if (read.has(id)) continue;
    read.add(id);
    const { skeleton, replaced } = store.layers.parts(id);
    const { diffId } = store.layers.get(id);
    const directories = store.layers.paths(image.layers.slice(0, index + 1));
    for await (const _chunk of assembleTar({ skeleton: skeleton ?? '', replaced, directories, diffId }));
    tars += 1;
  }
  for (const { digest, layers } of store.images.manifests(image.id)) {
    store.images.manifestBytes(digest);
    for (const layer of layers) {
      if (read.has(layer.digest)) continue;
      read.add(layer.digest);
      for await (const _chunk of store.content.stream(layer.digest));
    }
  }
  return tars;
}

/** What was written to a container is in its upper directory, or in a layer that was committed from it. */
function expectContainer(store: Store, name: string): void {
  const record = store.containers.resolve(name);
  const config: unknown = JSON.parse(
    readFileSync(path.join(store.containers.directory(record.id), 'config.json'), 'utf8'),
  );
  expect(config).toBeTypeOf('object');
  const places = [
    store.containers.upper(record.id),
    ...record.committed.map(({ chainId }) => store.layers.path(chainId)),
  ].map((place) => path.join(place, name));
  const place = places.find((one) => existsSync(one));
  expect(place).toBeDefined();
  expect(readFileSync(place ?? '', 'utf8').startsWith(name)).toBe(true);
}

/** Reproducible numbers below a limit. */
export function randomFrom(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % limit;
  };
}
