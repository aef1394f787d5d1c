// The library as it is built (servers are processes of their own, so they run from dist), and a root file system to try it on.

import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'vitest';
import type * as ContainerRoom from '../../src/container/index.js';
import type * as LayerRoom from '../../src/layer/index.js';
import type * as OverlayRoom from '../../src/overlay/index.js';
import type { Image, Store } from '../../src/store/index.js';
import type * as StoreRoom from '../../src/store/index.js';
import type * as TransferRoom from '../../src/transfer/index.js';
import { assembleTar } from '../../src/layer/index.js';
import { DOOR, requires } from '../helpers/requires.js';
import { tempDir } from '../helpers/tmp.js';
import type { TempDir } from '../helpers/tmp.js';
import { snapshot } from '../helpers/tree.js';
import type { Tree } from '../helpers/tree.js';

export const needs = requires('build', 'root', 'fuse', 'mknod', 'trusted-xattr', 'tar');

type Rooms = typeof ContainerRoom & typeof LayerRoom & typeof OverlayRoom & typeof StoreRoom & typeof TransferRoom;

export async function library(): Promise<Rooms> {
  const dist = path.resolve(path.dirname(DOOR), '..');
  const names = ['container', 'layer', 'overlay', 'store', 'transfer'];
  const urls = names.map((name) => pathToFileURL(path.join(dist, name, 'index.js')).href);
  const rooms = await Promise.all(urls.map((url) => import(url) as Promise<Partial<Rooms>>));
  return Object.assign({}, ...rooms) as Rooms;
}

/** A tree with one of everything an image may hold. */
const ROOTFS = `
mkdir -p etc bin usr/share/doc/a usr/share/doc/b usr/lib var/log home tmp dev
echo 127.0.0.1 localhost > etc/hosts
echo root:x:0:0:root:/root:/bin/sh > etc/passwd; chmod 640 etc/passwd
ln etc/passwd etc/passwd-
printf '#!/bin/sh\\n' > bin/tool; chmod 4755 bin/tool
ln -s tool bin/link; ln -s /etc/hosts usr/lib/absolute
for i in 1 2 3; do echo $i > usr/share/doc/a/$i; echo $i > usr/share/doc/b/$i; done
head -c 300000 /dev/zero | tr '\\0' x > usr/lib/big
mkfifo var/log/fifo; mknod dev/null c 1 3
chown -R 1000:1001 home; chmod 1777 tmp; chmod 751 .
find . -exec touch -h -d @1600000000.123456789 {} +
`;

export interface Fixture extends Disposable {
  readonly api: Rooms;
  readonly store: Store;
  readonly temp: TempDir;
  /** Of the image `base`. */
  readonly image: Image;
  readonly path: (...names: string[]) => string;
}

/** A store with an image `base` of that tree. What is mounted below the directory goes with it. */
export async function fixture(): Promise<Fixture> {
  const temp = tempDir('container');
  const inTemp = (...names: string[]): string => path.join(temp.path, ...names);
  try {
    const api = await library();
    execFileSync('sh', ['-euc', `mkdir tree && cd tree\n${ROOTFS}\ncd .. && tar --xattrs -C tree -cf base.tar .`], {
      cwd: temp.path,
    });
    const store = api.Store.open(inTemp('root'));
    const image = await api.importRootfs(store, { path: inTemp('base.tar') }, { reference: 'base' });
    const end = (): void => {
      store.close();
      temp.remove();
    };
    return { api, store, temp, image, path: inTemp, [Symbol.dispose]: end };
  } catch (error) {
    temp.remove();
    throw error;
  }
}

/** Runs a shell script in a directory and returns its output. */
export function shell(cwd: string, script: string): string {
  return execFileSync('sh', ['-euc', script], { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** The layers of the store as trees; equal before and after whatever is done to containers. */
export function layerTrees(store: Store): Map<string, Tree> {
  return new Map(
    readdirSync(path.join(store.root, 'layers')).map((name) => [
      name,
      snapshot(path.join(store.root, 'layers', name, 'diff')),
    ]),
  );
}

/** Makes the tars of an image's committed layers again, from what the commits recorded; returns their sizes. */
export async function committedTars(store: Store, image: Image): Promise<number[]> {
  const sizes: number[] = [];
  for (const [index, id] of image.layers.entries()) {
    const { skeleton, replaced } = store.layers.parts(id);
    if (index === 0) continue;
    const directories = store.layers.paths(image.layers.slice(0, index + 1));
    const { diffId, tarSize } = store.layers.get(id);
    let size = 0;
    for await (const chunk of assembleTar({ skeleton: skeleton ?? '', replaced, directories, diffId }))
      size += chunk.length;
    expect(size).toBe(tarSize);
    sizes.push(size);
  }
  return sizes;
}

/** The process that serves a mount. */
export function serverOf(mountpoint: string): number {
  for (const pid of readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name))) {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      if (words.includes(mountpoint) && words[1]?.endsWith('server-main.cjs') === true) return Number(pid);
    } catch {
      // ENOENT: a process that ended meanwhile.
    }
  }
  throw new Error(`no process serves ${mountpoint}`);
}

export async function diffLines(fixture: Fixture, container: string): Promise<string[]> {
  const letters = { added: 'A', modified: 'C', deleted: 'D' } as const;
  const lines: string[] = [];
  for await (const { kind, path: name } of fixture.api.diffContainer(fixture.store, container)) {
    lines.push(`${letters[kind]} /${name}`);
  }
  return lines;
}
