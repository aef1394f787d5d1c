// The programs as scripts/bundle.mjs makes them: what V8 has written down about them is taken, and nothing depends on it.

import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../helpers/other-process.js';
import { requires } from '../helpers/requires.js';
import { CLI, sandboxWithBase } from '../helpers/run-cli.js';
import { tempDir } from '../helpers/tmp.js';
import type { TempDir } from '../helpers/tmp.js';

const PROJECT = path.resolve(path.dirname(CLI), '../..');
const VERSION = `${process.version}-${process.arch}.cache`;
const gate = requires('build');

function replaceByDirectory(file: string): void {
  rmSync(file);
  mkdirSync(file);
}

/** Prints how many modules of a program V8 takes from its notes, and how many it refuses. */
const TAKEN = `
  const fs = require('fs'), { Script } = require('vm');
  const [dir, name, version] = process.argv.slice(1);
  const text = fs.readFileSync(dir + '/' + name + '-modules.cjs', 'latin1');
  const notes = fs.readFileSync(dir + '/' + name + '-' + version);
  const { build, modules } = JSON.parse(text.slice(3, text.indexOf('\\n')));
  const counts = { taken: 0, refused: 0 };
  for (const [index, offset, length, lineOffset] of Object.values(modules)) {
    const at = build.length + 12 * index, start = notes.readUInt32LE(at);
    const cachedData = notes.subarray(start, start + notes.readUInt32LE(at + 4));
    const filename = name + '-modules.cjs';
    const script = new Script(text.slice(offset, offset + length), { filename, lineOffset, cachedData });
    counts[script.cachedDataRejected ? 'refused' : 'taken'] += 1;
  }
  console.log(JSON.stringify(counts));
`;

describe.skipIf(gate.skip)(gate.title('the programs'), () => {
  let temp: TempDir;
  let program: string;
  let cache: string;

  /** Installs them somewhere else, with these packages beside them. */
  beforeAll(() => {
    temp = tempDir('programs');
    program = path.join(temp.path, 'dist/program');
    cache = path.join(program, `veneer-${VERSION}`);
    mkdirSync(path.join(temp.path, 'node_modules'));
    cpSync(path.dirname(CLI), program, { recursive: true });
    cpSync(path.join(PROJECT, 'package.json'), path.join(temp.path, 'package.json'));
    for (const name of readdirSync(path.join(PROJECT, 'node_modules'))) {
      symlinkSync(path.join(PROJECT, 'node_modules', name), path.join(temp.path, 'node_modules', name));
    }
  });

  afterAll(() => {
    temp.remove();
  });

  /** A command that opens a store, and so takes modules from all over. */
  async function images(
    nodeOptions: readonly string[] = [],
  ): Promise<{ status: number; stdout: string; stderr: string }> {
    const args = ['--root', path.join(temp.path, 'store'), 'images', '--all', '--format', '{{.Repository}}'];
    return run(process.execPath, [...nodeOptions, path.join(program, 'veneer.cjs'), ...args]);
  }
  const works = { status: 0, stdout: '', stderr: '' };

  test.each(['veneer', 'server-main'])('%s has been compiled by the build', (name) => {
    const { taken, refused } = JSON.parse(
      execFileSync(process.execPath, ['-e', TAKEN, program, name, VERSION], { encoding: 'utf8' }),
    ) as { taken: number; refused: number };
    expect(refused).toBe(0);
    expect(taken).toBeGreaterThan(0);
  });

  test.each<[string, () => void]>([
    ['that a loss of power has emptied', () => writeFileSync(cache, readFileSync(cache).fill(0, 4096 * 4))],
    ['that is cut short', () => truncateSync(cache, readFileSync(cache).length / 2)],
    ['of no bytes', () => truncateSync(cache)],
    ['that is a directory', () => replaceByDirectory(cache)],
    ['that is not there', () => rmSync(cache, { recursive: true })],
  ])('do without a cache %s', async (_, change) => {
    rmSync(cache, { recursive: true, force: true });
    cpSync(path.join(path.dirname(CLI), path.basename(cache)), cache);
    change();
    expect(await images()).toMatchObject(works);
  });

  test('do without one that V8 refuses', async () => {
    expect(await images(['--no-opt'])).toMatchObject(works);
  });

  test('use the native packages there are where these are not those of the build', async () => {
    for (const name of ['better-sqlite3', '@koromix']) {
      rmSync(path.join(temp.path, 'node_modules', name));
    }
    const copy = path.join(temp.path, 'node_modules/better-sqlite3');
    mkdirSync(copy);
    writeFileSync(
      path.join(copy, 'package.json'),
      JSON.stringify({ version: '0.0.1', main: path.join(PROJECT, 'node_modules/better-sqlite3/lib/index.js') }),
    );
    expect(await images()).toMatchObject(works);
  });

  test('say where an error comes from', async () => {
    const args = ['--debug', '--root', path.join(program, 'veneer.cjs'), 'images'];
    const { stderr } = await run(process.execPath, [path.join(program, 'veneer.cjs'), ...args]);
    const [, file = '', line = ''] = /at prepareRoot \(([\w-]+\.cjs):(\d+):\d+\)/.exec(stderr) ?? [];
    expect(readFileSync(path.join(program, file), 'latin1').split('\n')[Number(line) - 1]).toMatch(
      /throw new .*not a directory/,
    );
  });

  test('do not take notes on another build for their own', async () => {
    rmSync(cache, { recursive: true, force: true });
    cpSync(path.join(path.dirname(CLI), path.basename(cache)), cache);
    // A program of the same length, which is all that V8 looks at.
    const modules = path.join(program, 'veneer-modules.cjs');
    const text = readFileSync(modules, 'latin1');
    writeFileSync(modules, text.replaceAll('is not a directory', 'is NOT a directory'), 'latin1');
    const loader = path.join(program, 'veneer.cjs');
    writeFileSync(loader, readFileSync(loader, 'utf8').replace(/(BUILD = ')\w{8}/, '$1otherone'));
    const { stderr } = await run(process.execPath, [loader, '--root', loader, 'images']);
    expect(stderr).toMatch('is NOT a directory');
  });
});

describe.skipIf(gate.skip)(gate.title('the program itself'), () => {
  test('starts the node of PATH with its arguments, and without certificates to read', async () => {
    using temp = tempDir('launcher');
    const node = path.join(temp.path, 'node');
    writeFileSync(node, '#!/bin/sh\nprintf "%s|" "$NODE_EXTRA_CA_CERTS" "$VENEER_EXTRA_CA_CERTS" "$@"\n', {
      mode: 0o755,
    });
    const link = path.join(temp.path, 'veneer');
    symlinkSync(CLI, link);
    const PATH = `${temp.path}:${process.env['PATH'] ?? ''}`;
    const words = ['a b', '', "'$x", '-e'];
    for (const file of ['/x y/"ca".crt', '']) {
      const env = { ...process.env, PATH, NODE_EXTRA_CA_CERTS: file };
      expect((await run('veneer', words, { env })).stdout).toBe(['', file, '--', link, ...words, ''].join('|'));
    }
  });

  test('gives its environment to what asks for it', async () => {
    using box = sandboxWithBase('launcher');
    const names = ['NODE_EXTRA_CA_CERTS', 'VENEER_EXTRA_CA_CERTS'].flatMap((name) => ['-e', name]);
    const env = { ...process.env, VENEER_ROOT: box.root, NODE_EXTRA_CA_CERTS: '/x y/ca.crt' };
    expect(await run(CLI, ['create', '--name', 'work', ...names, 'base'], { env })).toMatchObject({
      status: 0,
      stderr: '',
    });
    expect(box.ok('inspect', '--format', '{{json .Config.Env}}', 'work')).toMatch(
      /"NODE_EXTRA_CA_CERTS=\/x y\/ca\.crt"/,
    );
    expect(box.ok('inspect', '--format', '{{json .Config.Env}}', 'work')).not.toMatch('VENEER_EXTRA_CA_CERTS');
  });
});
