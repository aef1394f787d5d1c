// A process that works on a store until it is killed:
//   node store-worker.mjs ROOT POOL OWN SEED
// It does one thing after the other at random, among others of its kind, and says on its standard output, in lines of JSON that survive
// it, what it is about to take away and what it was told is done. POOL is a directory of archives to import and load; OWN
// starts the names it gives: it takes away only what is called so.

import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [root, pool, own, seed] = process.argv.slice(2);
const dist = pathToFileURL(`${path.resolve(import.meta.dirname, '../..', process.env['VENEER_TEST_DIST'] ?? 'dist')}/`);
const { Store, parseTaggedName } = await import(new URL('store/index.js', dist).href);
const { commitContainer, createContainer, removeContainer } = await import(new URL('container/index.js', dist).href);
const { importRootfs, loadImages } = await import(new URL('transfer/index.js', dist).href);

let state = Number(seed);
/** Below `limit`. */
function random(limit) {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
}
const pick = (items) => items[random(items.length)];

function say(what) {
  fs.writeSync(1, `${JSON.stringify(what)}\n`);
}

const store = Store.open(root);
const images = new Map();
const containers = new Set();
let count = 0;

function newName() {
  count += 1;
  return `${own}-${String(count)}`;
}

function added(name, image) {
  images.set(name, image.id);
  say({ did: 'add', name, id: image.id });
}

const archives = fs.readdirSync(pool);
const poolFile = (kind) => path.join(pool, pick(archives.filter((name) => name.startsWith(kind))));

/** A manifest of blobs that are no layers, which is all the same to the store. */
async function addWithManifest() {
  const name = newName();
  if (images.size === 0) return;
  const base = store.images.resolve(pick([...images.keys()]));
  const lease = store.lease();
  const layers = [];
  for (const _layer of base.layers) {
    const file = poolFile('blob');
    const digest = `sha256:${createHash('sha256').update(fs.readFileSync(file)).digest('hex')}`;
    const size = fs.statSync(file).size;
    const reader = { digest, size, read: ({ offset } = { offset: 0 }) => fs.createReadStream(file, { start: offset }) };
    await store.content.receive(reader, lease).done;
    layers.push({ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest, size });
  }
  const document = JSON.parse(store.images.configBytes(base.id).toString());
  const config = Buffer.from(JSON.stringify({ ...document, author: name }, null, 1));
  const digest = `sha256:${createHash('sha256').update(config).digest('hex')}`;
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const descriptor = { mediaType: 'application/vnd.oci.image.config.v1+json', digest, size: config.length };
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, config: descriptor, layers }));
  const image = store.images.add(config, { names: [parseTaggedName(name)], manifest: { bytes, mediaType } });
  lease.release();
  added(name, image);
}

async function importOne() {
  const name = newName();
  added(name, await importRootfs(store, { path: poolFile('root') }, { reference: name }));
}

async function load() {
  const loaded = await loadImages(store, { path: poolFile('image') });
  for (const { image } of loaded) {
    const name = newName();
    try {
      store.images.tag(image.id, name);
    } catch (error) {
      // Another one has removed it meanwhile, by the name that the archive gives it.
      if (error.code !== 'not-found') throw error;
      continue;
    }
    added(name, image);
  }
}

function create() {
  const image = pick([...images.values()]);
  if (image === undefined) return;
  const name = newName();
  const { directory } = createContainer(store, { image, name });
  fs.writeFileSync(path.join(directory, 'upper', name), name.repeat(1 + random(20_000)));
  // As after un-mounting: what a container has written is on disk.
  const fd = fs.openSync(path.join(directory, 'upper', name), 'r');
  fs.fsyncSync(fd);
  fs.closeSync(fd);
  const parent = fs.openSync(path.join(directory, 'upper'), 'r');
  fs.fsyncSync(parent);
  fs.closeSync(parent);
  containers.add(name);
  say({ did: 'create', name });
}

async function commit() {
  const container = pick([...containers]);
  if (container === undefined) return;
  const name = newName();
  added(name, await commitContainer(store, container, { reference: name }));
}

async function removeOne() {
  const container = pick([...containers]);
  if (container !== undefined && random(2) === 0) {
    containers.delete(container);
    say({ will: 'rm', name: container });
    await removeContainer(store, container);
    return;
  }
  const name = pick([...images.keys()]);
  if (name === undefined) return;
  try {
    say({ will: 'rmi', name });
    images.delete(name);
    store.images.remove(name, { force: random(2) === 0 });
  } catch (error) {
    if (error.code !== 'in-use') throw error;
  }
}

const prune = () => (random(2) === 0 ? store.images.prune() : store.prune());

const hasImages = archives.some((name) => name.startsWith('image'));
const steps = [
  importOne,
  addWithManifest,
  create,
  commit,
  commit,
  removeOne,
  removeOne,
  prune,
  hasImages ? load : importOne,
];
say({ did: 'start' });
for (;;) await pick(steps)();
