// A store in a temporary directory, and layers and images made by hand.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { digestOf } from '../../../src/core/index.js';
import { chainIds, toDiffId } from '../../../src/image/index.js';
import type { ChainId, DiffId } from '../../../src/image/index.js';
import { Store, parseTaggedName } from '../../../src/store/index.js';
import type { Image } from '../../../src/store/index.js';

/** A directory that is removed when the test ends. */
export function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'veneer-store-'));
  onTestFinished(() => {
    rmSync(path, { recursive: true, force: true });
  });
  return path;
}

export function temporaryStore(root = join(temporaryDirectory(), 'root')): Store {
  const store = Store.open(root);
  onTestFinished(() => {
    store.close();
  });
  return store;
}

export function diffIdOf(content: string): DiffId {
  return toDiffId(digestOf(content));
}

/** Puts layers with one file each into the store: a layer per text, bottom first. */
export function addLayers(store: Store, contents: readonly string[], lease = store.lease()): ChainId[] {
  const ids = chainIds(contents.map(diffIdOf));
  contents.forEach((content, index) => {
    const staged = store.layers.stage();
    writeFileSync(join(staged.diff, 'file'), content);
    const facts = { diffId: diffIdOf(content), parent: ids[index - 1], size: content.length };
    store.layers.commit(staged, facts, lease);
  });
  return ids;
}

/** An image of such layers. */
export function addImage(
  store: Store,
  contents: readonly string[],
  name?: string,
  created = '2026-01-01T00:00:00Z',
): Image {
  using lease = store.lease();
  addLayers(store, contents, lease);
  const config = {
    created,
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers' as const, diff_ids: contents.map(diffIdOf) },
    history: contents.map((content) => ({ created, created_by: `echo ${content}` })),
  };
  return store.images.create(config, name === undefined ? [] : [parseTaggedName(name)]);
}

/** A container with a directory like those of the container room. */
export function addContainer(store: Store, image: Image, name: string): string {
  const id = digestOf(name).slice('sha256:'.length);
  const staged = store.containers.stage();
  writeFileSync(join(staged.path, 'marker'), name);
  store.containers.create({ id, name, image: image.id, imageReference: 'x', labels: {} }, staged);
  return id;
}

/** The code of what `work` throws. */
export function codeOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
  return undefined;
}
