// A process that works on a store and may be killed in the middle of it:
//   node store-child.mjs ROOT SCENARIO [KILL-AT]
// With KILL-AT it dies (SIGKILL) just before that call of a function that changes the disk. It prints the number of such
// calls when it reaches its end.

import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

const [root, scenario, killAt = '0'] = process.argv.slice(2);
let calls = 0;
/** Opening the store is part of one scenario only. */
let armed = scenario === 'open';

function step() {
  if (!armed) return;
  calls += 1;
  if (calls === Number(killAt)) process.kill(process.pid, 'SIGKILL');
}

for (const name of ['renameSync', 'mkdirSync', 'unlinkSync', 'fsyncSync', 'openSync', 'writeSync']) {
  const original = fs[name];
  fs[name] = (...args) => {
    step();
    return original(...args);
  };
}
syncBuiltinESMExports();

const dist = pathToFileURL(`${path.resolve(import.meta.dirname, '../..', process.env['VENEER_TEST_DIST'] ?? 'dist')}/`);
const { default: Sqlite } = await import('better-sqlite3');
const { Store, parseTaggedName } = await import(new URL('store/index.js', dist).href);
const { chainIds, toDiffId } = await import(new URL('image/index.js', dist).href);

const exec = Sqlite.prototype.exec;
const transaction = Sqlite.prototype.transaction;
Sqlite.prototype.transaction = function intercepted(work) {
  // Once before the transaction, once inside it after its statements, once after it is on disk.
  const run = transaction.call(this, (...args) => {
    const result = work(...args);
    step();
    return result;
  });
  const immediate = run.immediate;
  return {
    immediate() {
      step();
      const result = run.immediate();
      step();
      return result;
    },
  };
};
Sqlite.prototype.exec = function intercepted(sql) {
  step();
  return exec.call(this, sql);
};

const diffIdOf = (text) => toDiffId(`sha256:${createHash('sha256').update(text).digest('hex')}`);

function addImage(store, layers, name) {
  const lease = store.lease();
  const ids = chainIds(layers.map(diffIdOf));
  layers.forEach((text, index) => {
    if (store.layers.reuse(ids[index], lease) !== undefined) return;
    const staged = store.layers.stage();
    fs.writeFileSync(path.join(staged.diff, 'file'), text);
    store.layers.commit(staged, { diffId: diffIdOf(text), parent: ids[index - 1], size: text.length }, lease);
  });
  const rootfs = { type: 'layers', diff_ids: layers.map(diffIdOf) };
  const image = store.images.create({ architecture: 'amd64', os: 'linux', rootfs }, [parseTaggedName(name)]);
  lease.release();
  return image;
}

function existsOnce(file) {
  if (!fs.existsSync(file)) return false;
  fs.rmSync(file);
  return true;
}

function addContainer(store, image, name) {
  const staged = store.containers.stage();
  fs.mkdirSync(path.join(staged.path, 'upper'));
  fs.writeFileSync(path.join(staged.path, 'upper', 'change'), name);
  fs.writeFileSync(path.join(staged.path, 'config.json'), '{"config":{}}');
  const id = createHash('sha256').update(name).digest('hex');
  return store.containers.create({ id, name, image: image.id, imageReference: 'x', labels: {} }, staged);
}

const scenarios = {
  open() {},
  /** What must be there before the steps that are interrupted. */
  prepare(store) {
    addContainer(store, addImage(store, ['base'], 'base'), 'box');
  },
  import(store) {
    addImage(store, ['base', 'two'], 'child');
  },
  async commit(store) {
    const record = store.containers.resolve('box');
    const held = await store.containers.lock(record);
    const parent = store.images.get(record.image).layers.at(-1);
    store.containers.moveUpper(record.id, { diffId: diffIdOf('box'), parent, size: 3, history: {} });
    held.release();
  },
  async 'commit-container'(store) {
    const { commitContainer } = await import(new URL('container/index.js', dist).href);
    await commitContainer(store, 'box', { reference: 'new' });
  },
  async 'create-container'(store) {
    const { createContainer } = await import(new URL('container/index.js', dist).href);
    createContainer(store, { image: 'base' });
  },
  async rm(store) {
    const record = store.containers.resolve('box');
    const held = await store.containers.lock(record);
    await store.containers.remove(record.id);
    held.release();
  },
  rmi(store) {
    store.images.remove('base');
  },
  prune(store) {
    store.prune();
  },
  /** Fills a volume with what lies beside the store, as the first start of a container does. */
  async 'fill-volume'(store) {
    const { fillVolume, finishFilling } = await import(new URL('container/fill-volume.js', dist).href);
    await finishFilling(store, 'data');
    await fillVolume(store, { volume: 'data', rootfs: path.join(root, '..', 'image'), path: '/srv' });
  },
  /** Unpacks the layers of an image that others unpack, too, and says how many it was that did it. */
  async unpack(store) {
    const lease = store.lease();
    const contents = ['base', 'two', 'three'];
    const ids = chainIds(contents.map(diffIdOf));
    for (const [index, id] of ids.entries()) {
      const held = await store.layers.unpacking(id);
      if (store.layers.reuse(id, lease) === undefined) {
        fs.appendFileSync(path.join(root, '..', 'unpacked'), `${contents[index]}\n`);
        const staged = store.layers.stage();
        await delay(100);
        // The first one dies in the middle of its work.
        if (existsOnce(path.join(root, '..', 'die'))) process.kill(process.pid, 'SIGKILL');
        fs.writeFileSync(path.join(staged.diff, 'file'), contents[index]);
        const facts = { diffId: diffIdOf(contents[index]), parent: ids[index - 1], size: contents[index].length };
        store.layers.commit(staged, facts, lease);
      }
      held.release();
    }
    addImage(store, contents, String(process.pid));
    lease.release();
  },
  /** Imports and removes images that share a layer, again and again, against others that do so, too. */
  churn(store) {
    const own = String(process.pid);
    for (let round = 0; round < 15; round += 1) {
      addImage(store, ['shared', own], own);
      store.images.remove(own);
      store.prune();
    }
    addImage(store, ['shared', own], own);
  },
};

const store = Store.open(root);
armed = true;
await scenarios[scenario](store);
store.close();
process.stdout.write(String(calls));
