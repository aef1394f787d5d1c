// How the time of the store's operations grows with the number of images of 50 layers, of which they share 45:
//   node scripts/store-scale.mjs [30 100 300]
// It uses the build in dist and a directory below TMPDIR. Times are milliseconds, the best of several runs; those that change
// the store run once.

import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chainIds, toDiffId } from '../dist/image/index.js';
import { Store, parseTaggedName } from '../dist/store/index.js';

const LAYERS = 50;
const OWN = 5;
const RUNS = 5;

const diffIdOf = (text) => toDiffId(`sha256:${createHash('sha256').update(text).digest('hex')}`);

function addImage(store, index) {
  const lease = store.lease();
  const contents = Array.from({ length: LAYERS }, (_, at) =>
    at < LAYERS - OWN ? `shared ${String(at)}` : `${String(index)} ${String(at)}`,
  );
  const diffIds = contents.map(diffIdOf);
  chainIds(diffIds).forEach((id, at, ids) => {
    if (store.layers.reuse(id, lease) !== undefined) return;
    const staged = store.layers.stage();
    writeFileSync(path.join(staged.diff, 'file'), contents[at]);
    store.layers.commit(staged, { diffId: diffIds[at], parent: ids[at - 1], size: contents[at].length }, lease);
  });
  const config = {
    created: new Date(index * 1000).toISOString(),
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: diffIds },
    history: contents.map((text) => ({ created_by: `RUN echo ${text}` })),
  };
  // Every third one has lost its name to another.
  store.images.create(config, index % 3 === 0 ? [] : [parseTaggedName(`image${String(index)}`)]);
  lease.release();
}

async function timed(runs, work) {
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < runs; run += 1) {
    const start = performance.now();
    await work();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

async function measure(root) {
  const store = Store.open(root);
  const { id } = store.images.resolve('image1');
  const tar = async function* () {
    yield await Promise.resolve(Buffer.alloc(0));
  };
  const times = {
    open: await timed(RUNS, () => Store.open(root).close()),
    list: await timed(RUNS, () => store.images.list()),
    'resolve name': await timed(RUNS, () => store.images.resolve('image1')),
    'resolve prefix': await timed(RUNS, () => store.images.resolve(id.slice(7, 19))),
    inspect: await timed(RUNS, () => {
      const image = store.images.resolve('image1');
      store.layers.paths(image.layers);
      store.images.config(image.id);
      store.images.manifests(image.id);
    }),
    history: await timed(RUNS, () => store.images.history(id)),
    usage: await timed(RUNS, () => store.usage()),
    check: await timed(RUNS, () => store.check()),
    'deep check': await timed(1, () => store.checkDeep({ layerTar: tar })),
    'remove one': await timed(1, () => store.images.remove('image2')),
    'prune -n': await timed(1, () => store.images.prune({ dryRun: true })),
    'prune a third': await timed(1, () => store.images.prune()),
    leftovers: await timed(1, () => store.prune()),
    repair: await timed(1, () => store.repair()),
    'prune all': await timed(1, () => store.images.prune({ all: true })),
  };
  store.close();
  return times;
}

const counts = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [30, 100, 300];
const columns = [];
for (const count of counts) {
  const directory = mkdtempSync(path.join(tmpdir(), 'veneer-scale-'));
  try {
    const root = path.join(directory, 'root');
    const store = Store.open(root);
    const start = performance.now();
    for (let index = 0; index < count; index += 1) addImage(store, index);
    store.close();
    const fill = (performance.now() - start) / count;
    columns.push({ 'add one': fill, ...(await measure(root)) });
  } finally {
    rmSync(directory, { recursive: true });
  }
}
const line = (name, values) => `${name.padEnd(16)}${values.map((value) => value.padStart(9)).join('')}\n`;
process.stdout.write(line('images', counts.map(String)));
for (const name of Object.keys(columns[0])) {
  process.stdout.write(
    line(
      name,
      columns.map((column) => column[name].toFixed(2)),
    ),
  );
}
