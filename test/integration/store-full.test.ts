// A file system without space: what a command says then, what it leaves, and that what makes room works.

import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Store } from '../../src/store/index.js';
import { runCli } from '../helpers/run-cli.js';
import { requires, runProgram } from '../helpers/requires.js';
import { SmallDisk } from '../helpers/small-disk.js';
import { tempDir } from '../helpers/tmp.js';

const KIB = 1024;

/** A small file system with a store, and archives beside it. */
class StoreOnSmallDisk implements Disposable {
  readonly #temp = tempDir('full');
  readonly small = new SmallDisk(this.at('disk'), '12m');
  readonly disk = this.small.path;
  readonly root = path.join(this.disk, 'root');

  constructor() {
    mkdirSync(this.at('tree/bin'), { recursive: true });
    for (let index = 0; index < 40; index += 1) {
      writeFileSync(this.at(`tree/bin/${String(index)}`), Buffer.alloc(20_000, index));
    }
    runProgram('tar', ['-C', this.at('tree'), '-cf', this.at('big.tar'), '.']);
    rmSync(this.at('tree/bin'), { recursive: true });
    runProgram('tar', ['-C', this.at('tree'), '-cf', this.at('small.tar'), '.']);
    const elsewhere = ['--root', this.at('elsewhere')];
    expect(runCli([...elsewhere, 'import', this.at('big.tar'), 'big'])).toMatchObject({ code: 0 });
    for (const format of ['docker', 'oci']) {
      const args = [...elsewhere, 'save', '--format', format, '-o', this.at(`${format}.tar`), 'big'];
      expect(runCli(args)).toMatchObject({ code: 0 });
    }
  }

  at(name: string): string {
    return path.join(this.#temp.path, name);
  }

  run(...args: string[]) {
    return runCli(['--root', this.root, ...args]);
  }

  ok(...args: string[]): void {
    expect(this.run(...args)).toMatchObject({ code: 0, stderr: '' });
  }

  /** In order, with nothing half made. */
  expectClean(): void {
    using store = Store.open(this.root);
    expect(store.check()).toEqual([]);
    expect(readdirSync(path.join(this.root, 'staging'))).toEqual([]);
    expect(readdirSync(this.disk).filter((name) => name.startsWith('.'))).toEqual([]);
  }

  [Symbol.dispose](): void {
    this.#temp.remove();
  }
}

interface Verb {
  readonly name: string;
  readonly args: (disk: StoreOnSmallDisk) => string[];
  /** Takes away what it has made. */
  readonly undo: (disk: StoreOnSmallDisk) => void;
}

const writing: readonly Verb[] = [
  {
    name: 'import',
    args: (disk) => ['import', disk.at('big.tar'), 'new'],
    undo: (disk) => {
      disk.ok('rmi', 'new');
    },
  },
  ...['docker', 'oci'].map((format): Verb => ({
    name: `load of the format ${format}`,
    args: (disk) => ['load', '-q', '-i', disk.at(`${format}.tar`)],
    undo: (disk) => {
      disk.ok('rmi', 'big');
    },
  })),
  {
    name: 'commit',
    args: () => ['commit', 'box', 'new'],
    undo: (disk) => {
      disk.ok('rmi', 'new');
    },
  },
  {
    name: 'create',
    args: () => ['create', '--name', 'other', 'base'],
    undo: (disk) => {
      disk.ok('rm', 'other');
    },
  },
  {
    name: 'save',
    args: (disk) => ['save', '-o', path.join(disk.disk, 'out.tar'), 'base'],
    undo: (disk) => {
      rmSync(path.join(disk.disk, 'out.tar'));
    },
  },
  {
    name: 'save to a directory',
    args: (disk) => ['save', '--format', 'oci', '-o', path.join(disk.disk, 'out'), 'base'],
    undo: (disk) => {
      rmSync(path.join(disk.disk, 'out'), { recursive: true });
    },
  },
];

function prepared(): StoreOnSmallDisk {
  const disk = new StoreOnSmallDisk();
  disk.ok('import', disk.at('small.tar'), 'base');
  disk.ok('create', '--name', 'box', 'base');
  const [container = ''] = readdirSync(path.join(disk.root, 'containers'));
  writeFileSync(path.join(disk.root, 'containers', container, 'upper', 'x'), Buffer.alloc(100_000, 1));
  return disk;
}

const needs = requires('build', 'root', 'tar');

describe.skipIf(needs.skip)(needs.title('a full file system'), () => {
  let disk: StoreOnSmallDisk;
  beforeAll(() => {
    disk = prepared();
  });
  afterAll(() => {
    disk[Symbol.dispose]();
  });

  test.each(writing)('$name says so, leaves nothing, and works with space', ({ args, undo }) => {
    const codes = [0, 40, 300].map((kib) => {
      disk.small.leave(kib * KIB);
      const { code, stderr } = disk.run(...args(disk));
      disk.small.makeRoom();
      if (code === 0) undo(disk);
      else {
        expect(code).toBe(1);
        expect(stderr).toMatch(
          /^veneer: [^\n]*no space is left on the file system of '[^'\n]*\/disk[^'\n]*'\n {2}hint: make room there\n$/,
        );
      }
      disk.expectClean();
      return code;
    });
    expect(codes[0]).toBe(1);
    expect(disk.run(...args(disk))).toMatchObject({ code: 0 });
    undo(disk);
    disk.expectClean();
  });

  test('what makes room works', () => {
    disk.ok('import', disk.at('big.tar'), 'big');
    disk.ok('import', disk.at('big.tar'), 'again');
    disk.small.leave(0);
    for (const args of [
      ['rmi', 'big'],
      ['rm', 'box'],
      ['image', 'prune', '-af'],
      ['system', 'prune', '-f'],
    ]) {
      expect(disk.run(...args)).toMatchObject({ code: 0, stderr: '' });
    }
    disk.small.makeRoom();
    disk.expectClean();
    using store = Store.open(disk.root);
    expect(store.images.list()).toEqual([]);
  });
});
