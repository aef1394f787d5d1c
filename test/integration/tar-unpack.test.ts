// The two bulk jobs of every image build: unpacking thousands of files into the mount, and removing a lower tree.

import { mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { backendGate } from '../helpers/backends.js';
import { dir, fifo, file, link, symlink, writeLayerSpec } from '../helpers/layer-spec.js';
import type { LayerNode, LayerSpec } from '../helpers/layer-spec.js';
import { runWell } from '../helpers/other-process.js';
import { Scenario } from '../helpers/scenario.js';
import { requires } from '../helpers/requires.js';
import { expectSameTree } from '../helpers/tree.js';

const gate = backendGate('veneer').skip ? backendGate('veneer') : requires('tar', 'kernel-overlay');
const COUNT = 10_000;

/** A tree with a bit of everything a root file system has. */
function manyFiles(): LayerSpec {
  const spec: Record<string, LayerNode | string> = {};
  for (let index = 0; index < COUNT; index += 1) {
    const at = `usr/share/pkg-${String(index % 97)}/part-${String(index % 7)}/n${String(index)}`;
    const attributes = {
      mode: [0o644, 0o755, 0o600, 0o4755][index % 4]!,
      uid: index % 5,
      gid: index % 3,
      mtime: 1_200_000_000 + index,
    };
    if (index % 50 === 1) spec[at] = symlink(`n${String(index - 1)}`, attributes);
    else if (index % 200 === 97 + 7) spec[at] = fifo(attributes);
    else if (index % 100 === 57)
      spec[at] = link(Object.keys(spec).findLast((name) => (spec[name] as LayerNode).kind === 'file')!);
    else
      spec[at] = file('content '.repeat(index % 300), {
        ...attributes,
        ...(index % 40 === 0 ? { xattrs: { 'user.n': String(index) } } : {}),
      });
  }
  spec['tmp'] = dir({ mode: 0o1777 });
  return spec;
}

let scenario: Scenario;
afterEach(() => scenario.remove());

describe.skipIf(gate.skip)(gate.title(`${String(COUNT)} files`), () => {
  test('unpack inside the mount as they do on the host, and kernel overlayfs sees the same', async () => {
    scenario = new Scenario('tar', {
      lower: [{ 'usr/share/pkg-1/old': 'old', 'usr/share/pkg-2': 'in the way' }],
      upper: {},
    });
    const source = path.join(scenario.temp.path, 'source');
    const host = path.join(scenario.temp.path, 'host');
    const archive = path.join(scenario.temp.path, 'many.tar');
    for (const name of [source, host]) mkdirSync(name);
    writeLayerSpec(source, manyFiles(), 0);
    const flags = ['--xattrs', '--xattrs-include=*', '--numeric-owner', '-p'];
    await runWell('tar', [...flags, '--format=posix', '-cf', archive, '-C', source, '.']);
    await runWell('tar', [...flags, '-xf', archive, '-C', host]);

    const tree = await scenario.on('veneer', async (root) => {
      await runWell('tar', [...flags, '-xf', archive, '-C', root]);
      return scenario.tree(root);
    });
    expect(tree.size).toBeGreaterThan(COUNT);
    expect(tree.get('usr/share/pkg-1/old')?.type).toBe('file');
    expectSameTree(scenario.tree(host), new Map([...tree].filter(([name]) => name !== 'usr/share/pkg-1/old')));
    await scenario.on('kernel', (root) => expectSameTree(tree, scenario.tree(root)));
    scenario.expectLowersUnchanged();
  });

  test('of a lower layer are removed by rm -rf, and stay away', async () => {
    scenario = new Scenario('rm', { lower: [manyFiles()], upper: {} });
    await scenario.on('veneer', async (root) => {
      await runWell('rm', ['-rf', `${root}/usr`]);
      expect(readdirSync(root)).toEqual(['tmp']);
      mkdirSync(`${root}/usr/share/pkg-1`, { recursive: true });
      expect(readdirSync(`${root}/usr/share/pkg-1`)).toEqual([]);
    });
    const names = ['', 'tmp', 'usr', 'usr/share', 'usr/share/pkg-1'];
    for (const kind of ['kernel', 'veneer'] as const) {
      await scenario.on(kind, (root) => expect([...scenario.tree(root).keys()]).toEqual(names));
    }
    scenario.expectLowersUnchanged();
  });
});
