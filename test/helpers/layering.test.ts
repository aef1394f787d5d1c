// The import table of the house: who may import whom. Where the cut turns out wrong, change it here and say why.

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { cycles, violations, type Room } from './imports.js';

const TABLE: Readonly<Record<string, Room>> = {
  // The log has a door of its own: pino takes 20 ms to load, which commands that log nothing do not pay.
  core: { rooms: [], externals: ['pino'], doors: ['log.ts'] },
  sys: { rooms: ['core'], externals: ['koffi'] },
  // The namespaces of a plain user: newuidmap, unshare and nsenter are programs.
  rootless: { rooms: ['core', 'sys'], externals: ['node:child_process'] },
  image: { rooms: ['core'] },
  whiteout: { rooms: ['core', 'sys'] },
  // The merged view of layer directories, for the overlay (live) and for diff.
  stack: { rooms: ['core', 'sys', 'whiteout'] },
  // fusermount3 mounts for plain users.
  fuse: { rooms: ['core', 'sys'], externals: ['node:child_process'] },
  // Another way to the kernel for what `fuse` calls a Filesystem; an optional package.
  'fuse-native': { rooms: ['core', 'sys', 'fuse'], externals: ['fuse-native', 'fuse-shared-library'] },
  // Starts its server as a process of its own, which shows its statistics on a unix socket.
  // A command that does nothing but start one has a door of its own, behind which little is to be loaded.
  overlay: {
    rooms: ['core', 'sys', 'fuse', 'fuse-native', 'whiteout', 'stack'],
    externals: ['node:child_process', 'node:net', 'node:cluster'],
    doors: ['start.ts'],
  },
  // xz, bzip2 and zstd are the system's programs; diff compares texts, picomatch reads globs.
  layer: {
    rooms: ['core', 'sys', 'image', 'whiteout', 'stack'],
    externals: ['node:child_process', 'diff', 'picomatch'],
  },
  // Where a store is has doors of its own: the database takes long to load.
  store: { rooms: ['core', 'sys', 'image'], externals: ['better-sqlite3'], doors: ['paths.ts', 'root.ts'] },
  // undici speaks HTTP, smol-toml reads registries.conf; credential helpers are programs; networks of addresses are node:net's.
  // Who one is has a door of its own: undici takes 65 ms to load.
  registry: {
    rooms: ['core', 'image'],
    externals: ['undici', 'smol-toml', 'node:child_process', 'node:net'],
    doors: ['access/index.ts'],
  },
  // What runs containers: an OCI runtime and conmon, both programs of the system. Knows no store. image: how an image runs.
  runtime: { rooms: ['core', 'sys', 'rootless', 'image'], externals: ['node:child_process'] },
  transfer: { rooms: ['core', 'image', 'layer', 'store', 'registry'] },
  // What gives containers a network: ip, iptables or nft; pasta, slirp4netns. Knows no store.
  network: { rooms: ['core', 'sys'], externals: ['node:child_process', 'node:net'] },
  // stack: a commit looks up which names of a hard link the merged view shows.
  container: {
    rooms: ['core', 'sys', 'rootless', 'image', 'layer', 'store', 'overlay', 'stack', 'runtime', 'network'],
    externals: ['node:child_process'],
    doors: ['head-start.ts'],
  },
  build: { rooms: ['core', 'image', 'layer', 'store', 'transfer', 'container'] },
  cli: {
    rooms: [
      'core',
      'image',
      'layer',
      'store',
      'registry',
      'transfer',
      'container',
      'build',
      'overlay',
      'runtime',
      'network',
      'rootless',
    ],
    externals: ['commander'],
  },
  // src/index.ts, the package's own door.
  library: {
    rooms: [
      'core',
      'image',
      'layer',
      'store',
      'registry',
      'transfer',
      'container',
      'build',
      'overlay',
      'runtime',
      'network',
    ],
  },
};

const root = path.resolve(import.meta.dirname, '../../src');
const sources = new Map(
  readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => [file, readFileSync(path.join(root, file), 'utf8')]),
);

describe('the sources of src', () => {
  test('import only what the table allows', () => {
    expect(violations(sources, TABLE)).toEqual([]);
  });

  test('have no import cycles', () => {
    expect(cycles(sources)).toEqual([]);
  });
});

describe('the table', () => {
  test('has no cycles', () => {
    const rooms = Object.entries(TABLE).map(([name, room]): [string, string] => [
      `${name}/index.ts`,
      room.rooms.map((other) => `import '../${other}/index.js';`).join(''),
    ]);
    expect(cycles(new Map(rooms))).toEqual([]);
  });
});

describe('the check', () => {
  const judge = (file: string, text: string): string[] => violations(new Map([[file, text]]), TABLE);

  test.each([
    ['a room that may not be imported', 'core/a.ts', "import { x } from '../sys/index.js';", 'core may not import sys'],
    ['an import of a type', 'image/a.ts', "import type { X } from '../store/index.js';", 'image may not import store'],
    ['a dynamic import', 'cli/a.ts', "await import('../fuse/index.js');", 'cli may not import fuse'],
    ['a re-export', 'layer/a.ts', "export * from '../cli/index.js';", 'layer may not import cli'],
    ['a side door', 'store/a.ts', "import { x } from '../core/digest.js';", 'enter core through its index.ts'],
    ['a package elsewhere', 'store/a.ts', "import koffi from 'koffi';", "store may not import 'koffi'"],
    [
      'a restricted module of node',
      'store/a.ts',
      "import 'node:child_process';",
      "store may not import 'node:child_process'",
    ],
    ['an unprefixed module of node', 'core/a.ts', "import 'fs';", "core may not import 'fs'"],
    ['an unknown room', 'utils/a.ts', "import 'node:fs';", "'utils' is no room"],
  ])('names %s', (_what, file, text, message) => {
    expect(judge(file, text)).toEqual([expect.stringContaining(message)]);
  });

  test('lets the allowed pass', () => {
    expect(judge('cli/commands/a.ts', "import { x } from '../../store/index.js'; import '../output.js';")).toEqual([]);
  });

  test('names a cycle, but not one of types or of imports made later', () => {
    const pair = (spelling: string): Map<string, string> =>
      new Map([
        ['core/a.ts', "import { b } from './b.js';"],
        ['core/b.ts', `${spelling} { a } from './a.js';`],
      ]);
    expect(cycles(pair('import'))).toEqual(['core/a.ts -> core/b.ts -> core/a.ts']);
    expect(cycles(pair('import type'))).toEqual([]);
    expect(cycles(new Map([...pair('import'), ['core/b.ts', "await import('./a.js');"]]))).toEqual([]);
  });
});
