// Images go through a registry between us and the tools of others, both ways, and their digests stay what they are.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  fillWith,
  generateImage,
  generateIndex,
  rawManifest,
  sha256,
  skopeo,
  startProxy,
  startRegistry,
  storedBlob,
} from '../helpers/registry/index.js';
import type { GeneratedImage, TestRegistry } from '../helpers/registry/index.js';
import { runWell } from '../helpers/other-process.js';
import { requires, runProgram } from '../helpers/requires.js';
import { snapshot } from '../helpers/tree.js';
import { needs, PullBox } from './registry-fixture.js';

const gate = requires('umoci', 'podman', 'fuse', 'tar', 'acl');

interface ManifestOf {
  readonly mediaType: string;
  readonly config: { readonly digest: string; readonly size: number; readonly mediaType: string };
  readonly layers: readonly { readonly digest: string; readonly size: number; readonly mediaType: string }[];
}

describe.skipIf(needs.skip || gate.skip)(needs.title(gate.title('a registry between us and others')), () => {
  let registry: TestRegistry;
  beforeAll(async () => {
    registry = await startRegistry();
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  const manifestOf = async (name: string): Promise<ManifestOf> =>
    JSON.parse(await rawManifest(registry, name)) as ManifestOf;
  const inRegistry = (name: string): string => `${registry.host}/${name}`;
  const podman = (box: PullBox, ...args: string[]): Promise<string> => {
    const storage = ['--root', box.at('containers'), '--runroot', box.at('run'), '--storage-driver', 'vfs'];
    return runWell('podman', [...storage, '--cgroup-manager', 'cgroupfs', ...args], {
      env: { ...process.env, ...box.env, TMPDIR: box.at('home'), DOCKER_CONFIG: undefined },
    });
  };

  describe.each(['oci', 'docker'] as const)('what skopeo pushes as %s', (format) => {
    const image = generateImage({ format, seed: format });
    beforeAll(() => fillWith(registry, `theirs/${format}`, { images: [image], tags: { 1: image.manifest } }));

    test('we pull, and push back byte for byte', async () => {
      using box = new PullBox();
      const name = inRegistry(`theirs/${format}:1`);
      expect(await box.ok(['pull', '-q', name])).toBe(name);
      box.expectImage(image);
      const other = inRegistry(`back/${format}:2`);
      await box.ok(['tag', name, other]);
      const said = await box.run(['push', other]);
      expect(said).toMatchObject({ code: 0 });
      expect(said.stdout).toBe(`2: digest: ${image.manifest.digest} size: ${String(image.manifest.bytes.length)}\n`);
      expect(await rawManifest(registry, `back/${format}:2`)).toBe(image.manifest.bytes.toString());
    });

    test('we pull by its digest', async () => {
      using box = new PullBox();
      const name = inRegistry(`theirs/${format}@${image.manifest.digest}`);
      expect(await box.ok(['pull', '-q', name])).toBe(name);
      box.expectImage(image);
      await box.fails(['pull', '-q', inRegistry(`theirs/${format}@sha256:${'0'.repeat(64)}`)]);
    });
  });

  describe.each(['oci', 'docker'] as const)('lists of images (%s)', (format) => {
    const images: Record<string, GeneratedImage> = Object.fromEntries(
      ['amd64', 'arm64', 's390x'].map((architecture) => [
        architecture,
        generateImage({ format, architecture, seed: architecture }),
      ]),
    );
    const index = generateIndex(images, format);
    const name = (): string => inRegistry(`lists/${format}:1`);
    beforeAll(() =>
      fillWith(registry, `lists/${format}`, { images: Object.values(images), blobs: [index], tags: { 1: index } }),
    );

    test('give the image of a platform', async () => {
      using box = new PullBox();
      await box.ok(['pull', '-q', '--platform', 'linux/arm64', name()]);
      box.expectImage(images['arm64']!);
      await box.ok(['pull', '-q', '--platform', 'linux/s390x', name()]);
      box.expectImage(images['s390x']!);
      const said = await box.fails(['pull', '-q', '--platform', 'linux/riscv64', name()]);
      expect(said).toMatch(/hint: [^\n]*linux\/amd64[^\n]*linux\/arm64[^\n]*linux\/s390x/);
    });

    test('cost one request where the image is there', async () => {
      await using proxy = await startProxy(registry.url);
      using box = new PullBox();
      const there = `${proxy.host}/lists/${format}:1`;
      const args = ['pull', '--platform', 'linux/amd64', there];
      const first = await box.run(args);
      expect(first).toMatchObject({
        code: 0,
        stdout: `Digest: ${index.digest}\nStatus: Downloaded newer image for ${there}\n${there}\n`,
      });
      proxy.requests.length = 0;
      const second = await box.run(args);
      expect(second).toMatchObject({
        code: 0,
        stdout: `Digest: ${index.digest}\nStatus: Image is up to date for ${there}\n${there}\n`,
      });
      expect(proxy.requests.map(({ method, path: target }) => [method, target])).toEqual([
        ['HEAD', `/v2/lists/${format}/manifests/1`],
      ]);
    });
  });

  test('all tags of a repository come', async () => {
    const images = ['a', 'b', 'c'].map((seed) => generateImage({ seed, layers: 1 }));
    const tags = Object.fromEntries(images.map((image, at) => [`v${String(at)}`, image.manifest]));
    await fillWith(registry, 'many/tags', { images, tags });
    using box = new PullBox();
    await box.run(['pull', '-a', inRegistry('many/tags')]);
    for (const image of images) box.expectImage(image);
    const names = await box.ok(['images', '--format', '{{.Tag}}', inRegistry('many/tags')]);
    expect(names.split('\n').sort()).toEqual(['v0', 'v1', 'v2']);
  });

  describe('what we push', () => {
    let box: PullBox;
    beforeAll(async () => {
      box = new PullBox();
      mkdirSync(box.at('tree/etc'), { recursive: true });
      writeFileSync(box.at('tree/etc/hosts'), 'localhost\n');
      writeFileSync(box.at('tree/tool'), '#!/bin/sh\n', { mode: 0o4755 });
      runProgram('sh', [
        '-ec',
        `cd '${box.at('tree')}'; ln tool same; ln -s etc/hosts link; chown 1000:100 etc/hosts; setfacl -m u:1234:rw etc/hosts; mkfifo pipe; touch -h -d '2001-02-03 04:05:06' tool link etc .`,
      ]);
      runProgram('tar', ['-C', box.at('tree'), '--xattrs', '--acls', '--format=posix', '-cf', box.at('tree.tar'), '.']);
      await box.ok(['import', '-q', '-c', 'CMD ["/tool"]', box.at('tree.tar'), 'ours:1']);
      const id = await box.ok(['create', 'ours:1']);
      const directory = await box.ok(['mount', id]);
      writeFileSync(path.join(directory, 'more'), 'more');
      await box.ok(['umount', id]);
      await box.ok(['commit', '-q', id, 'ours:2']);
      return () => box[Symbol.dispose]();
    });

    test.each<[string, readonly string[]]>([
      ['as OCI', []],
      ['as Docker', ['--format', 'docker']],
      ['with zstd', ['--compression', 'zstd']],
      ['with gzip -9', ['--compression', 'gzip', '--compression-level', '9']],
    ])('%s, skopeo and umoci read', async (what, options) => {
      const repository = `ours/${what.toLowerCase().replaceAll(/\W+/g, '-')}`;
      const said = await box.run(['push', '-q', ...options, 'ours:2', inRegistry(`${repository}:2`)]);
      const name = inRegistry(`${repository}:2`);
      expect(said).toEqual({ code: 0, stdout: `${name}\n`, stderr: '' });
      const raw = await rawManifest(registry, `${repository}:2`);
      const manifest = await manifestOf(`${repository}:2`);
      for (const { digest, size } of [manifest.config, ...manifest.layers]) {
        const stored = storedBlob(registry, digest);
        expect([sha256(stored), stored.length]).toEqual([digest, size]);
      }
      const images = await box.ok(['images', '-q', '--no-trunc', 'ours:2']);
      expect(manifest.config.digest).toBe(images);
      const layout = box.at(`layout${what.replaceAll(' ', '')}`);
      const copied = [
        'copy',
        '-q',
        '--src-tls-verify=false',
        `docker://${inRegistry(`${repository}:2`)}`,
        `oci:${layout}:2`,
      ];
      await skopeo(box.at('home'), ...copied);
      if (what === 'as Docker') {
        expect(manifest.mediaType).toBe('application/vnd.docker.distribution.manifest.v2+json');
        expect(new Set(manifest.layers.map(({ mediaType }) => mediaType))).toEqual(
          new Set(['application/vnd.docker.image.rootfs.diff.tar.gzip']),
        );
      } else {
        const index = JSON.parse(readFileSync(path.join(layout, 'index.json'), 'utf8')) as {
          manifests: { digest: string }[];
        };
        expect(index.manifests.map(({ digest }) => digest)).toEqual([sha256(raw)]);
      }
      // This umoci knows no zstd.
      if (what === 'with zstd') return;
      runProgram('umoci', ['unpack', '--image', `${layout}:2`, `${layout}.bundle`]);
      const directory = `${layout}.mount`;
      mkdirSync(directory);
      await box.ok(['mount', 'ours:2', directory]);
      try {
        expect(snapshot(`${layout}.bundle/rootfs`)).toEqual(snapshot(directory));
      } finally {
        await box.ok(['umount', directory]);
      }
    });

    test('podman pulls, and pushes what we pull', async () => {
      await box.ok(['push', '-q', 'ours:2', inRegistry('ours/podman:2')]);
      const id = (await podman(box, 'pull', '-q', '--tls-verify=false', inRegistry('ours/podman:2'))).trim();
      const ours = await box.ok(['images', '-q', '--no-trunc', 'ours:2']);
      expect(`sha256:${id}`).toBe(ours);
      await podman(box, 'push', '-q', '--tls-verify=false', id, inRegistry('theirs/podman:2'));
      using other = new PullBox();
      await other.ok(['pull', '-q', inRegistry('theirs/podman:2')]);
      expect(await other.ok(['images', '-q', '--no-trunc'])).toBe(ours);
      expect(await other.run(['system', 'check', '--deep', '-q'])).toMatchObject({ code: 0, stdout: '' });
    });

    test('goes once: what is there is not sent again, and what another repository has is mounted', async () => {
      await using proxy = await startProxy(registry.url);
      const sent = (): number => proxy.requests.reduce((sum, { received }) => sum + received, 0);
      expect(await box.run(['push', 'ours:2', `${proxy.host}/once:2`])).toMatchObject({ code: 0 });
      const all = sent();
      proxy.requests.length = 0;
      const again = await box.run(['push', 'ours:2', `${proxy.host}/once:2`]);
      expect(again).toMatchObject({ code: 0 });
      expect(again.stderr).toContain('Layer already exists');
      expect(proxy.seen('POST', /uploads/)).toEqual([]);
      proxy.requests.length = 0;
      const mounted = await box.run(['push', 'ours:2', `${proxy.host}/mounted:2`]);
      expect(mounted).toMatchObject({ code: 0 });
      expect(mounted.stderr).toMatch(/: Mounted from (\S+\/)?once$/m);
      expect(sent()).toBeLessThan(all / 2);
      expect(proxy.seen('POST', /mount=sha256/).length).toBeGreaterThan(0);
    });
  });
});
