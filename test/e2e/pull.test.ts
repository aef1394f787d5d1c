import { readdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fill, fillWith, generateImage, generateIndex, startRegistry } from '../helpers/registry/index.js';
import type { GeneratedImage, TestRegistry } from '../helpers/registry/index.js';
import { requires, runProgram } from '../helpers/requires.js';
import { CLI, sandbox } from '../helpers/run-cli.js';

const gate = requires('root', 'docker-registry', 'openssl', 'skopeo', 'setpriv', 'build');

describe.skipIf(gate.skip)(gate.title('pull'), () => {
  let registry: TestRegistry;
  let image: GeneratedImage;
  let name: string;
  beforeAll(async () => {
    registry = await startRegistry();
    image = await fill(registry, 'team/app:latest', { layers: 4 });
    name = `${registry.host}/team/app`;
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  test('says what docker says', () => {
    using box = sandbox('pull');
    const { code, stdout, stderr } = box.run('pull', name);
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'latest: Pulling from team/app\n' });
    expect(stdout.split('\n')).toEqual([
      `Digest: ${image.manifest.digest}`,
      `Status: Downloaded newer image for ${name}:latest`,
      `${name}:latest`,
      '',
    ]);
    expect(box.run('pull', name).stdout).toContain(`Status: Image is up to date for ${name}:latest\n`);
    expect(box.ok('pull', '-q', `${name}@${image.manifest.digest}`)).toBe(`${name}@${image.manifest.digest}`);
    expect(box.ok('images', '-q', '--no-trunc')).toBe(image.config.digest);
    expect(box.ok('image', 'pull', '--quiet', name)).toBe(`${name}:latest`);
    box.check();
  });

  test('shows each layer on a terminal, and leaves it in order', () => {
    using box = sandbox('pull');
    const line = [process.execPath, CLI, '--root', box.root, 'pull', name].map((word) => `'${word}'`).join(' ');
    const shown = runProgram('script', ['-qc', line, '/dev/null'], { cwd: box.dir });
    for (const { digest } of image.layers) expect(shown).toContain(`${digest.slice(7, 19)}: Pull complete`);
    expect(shown).not.toContain('\x1b[?25l');
    expect(shown.trimEnd().endsWith(`${name}:latest`)).toBe(true);
  });

  test('every tag of a repository, one image where they are one', async () => {
    using box = sandbox('pull');
    const images = { amd64: generateImage(), arm64: generateImage({ architecture: 'arm64', seed: 'arm' }) };
    const index = generateIndex(images);
    const tags = { v1: images.amd64.manifest, v2: index };
    await fillWith(registry, 'team/many', { images: Object.values(images), blobs: [index], tags });
    const many = `${registry.host}/team/many`;
    expect(box.run('pull', '-a', many)).toMatchObject({
      code: 0,
      stdout: `Digest: ${images.amd64.manifest.digest}\nDigest: ${index.digest}\nStatus: Downloaded newer image for ${many}\n${many}\n`,
      stderr: 'v1: Pulling from team/many\nv2: Pulling from team/many\n',
    });
    expect(box.ok('images', '--format', '{{.Repository}}:{{.Tag}}').split('\n').sort()).toEqual([
      `${many}:v1`,
      `${many}:v2`,
    ]);
    expect(box.ok('pull', '-q', '--platform', 'linux/arm64', `${many}:v2`)).toBe(`${many}:v2`);
    expect(box.ok('inspect', '-f', '{{.Architecture}}', `${many}:v2`)).toBe('arm64');
    box.check();
  });

  test('should-fail: what is not there, and what is asked for wrongly', () => {
    using box = sandbox('pull');
    const fails = (code: number, args: readonly string[], message: RegExp): void => {
      expect(box.run('pull', ...args)).toMatchObject({
        code,
        stdout: '',
        stderr: expect.stringMatching(message) as string,
      });
    };
    fails(1, [`${registry.host}/team/none`], /^veneer: .*none/m);
    fails(1, ['--platform', 's390x', `${registry.host}/team/many:v2`], /hint: it has linux\/amd64, linux\/arm64/);
    fails(2, ['-a', `${name}:latest`], /--all-tags goes with a name alone/);
    fails(2, [], /missing required argument 'name'/);
    fails(1, ['Not A Name'], /is not an image name/);
    expect(readdirSync(path.join(box.root, 'layers'))).toEqual([]);
    box.check();
  });
});
