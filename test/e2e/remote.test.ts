// What looks into a registry without pulling, and what pulls because an image is missing.

import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hostPlatform } from '../../src/image/index.js';
import { fillWith, generateImage, generateIndex, sha256, startRegistry } from '../helpers/registry/index.js';
import type { TestRegistry } from '../helpers/registry/index.js';
import { requires } from '../helpers/requires.js';
import { sandbox } from '../helpers/run-cli.js';

const gate = requires('build', 'docker-registry', 'skopeo', 'setpriv');

const here = hostPlatform().architecture;
const elsewhere = here === 's390x' ? 'amd64' : 's390x';
const ours = generateImage({ layers: 2, architecture: here });
const theirs = generateImage({ layers: 1, architecture: elsewhere, seed: 'theirs', format: 'docker' });
const old = generateImage({ layers: 1, architecture: here, seed: 'old', format: 'docker' });
const index = generateIndex({ [here]: ours, [elsewhere]: theirs });

let registry: TestRegistry | undefined;
let host = '';
let app = '';

beforeAll(async () => {
  if (gate.skip) return;
  registry = await startRegistry();
  host = registry.host;
  app = `${host}/team/app`;
  const tags = { latest: index, '1.0': old.manifest, '1.1': ours.manifest, s390: theirs.manifest };
  await fillWith(registry, 'team/app', { images: [ours, theirs, old], blobs: [index], tags });
});
afterAll(async () => registry?.[Symbol.asyncDispose]());

describe.skipIf(gate.skip)(gate.title('veneer tags'), () => {
  test('prints a line for each tag', () => {
    using box = sandbox('tags');
    const tags = box.ok('tags', app).split('\n');
    const [first = ''] = tags;
    expect(tags.toSorted()).toEqual(['1.0', '1.1', 'latest', 's390']);
    expect(box.ok('tags', '--limit', '2', app).split('\n')).toEqual(tags.slice(0, 2));
    expect(box.ok('tags', '--limit', '1', '--format', '{{.Name}}:{{.Tag}}', app)).toBe(`${app}:${first}`);
    expect(JSON.parse(box.ok('tags', '--limit', '1', '--format', 'json', app))).toEqual({
      Name: app,
      Registry: host,
      Repository: 'team/app',
      Tag: first,
    });
    expect(box.ok('tags', '--limit', '1', '--format', 'table', app)).toMatch(/^NAME +TAG\n127\S+ +\S+$/);
    expect(existsSync(box.root)).toBe(false);
  });

  test('says what there is not', () => {
    using box = sandbox('tags');
    expect(box.fails(1, 'tags', `${host}/team/ap`)).toContain(`${host}/team/ap`);
    expect(box.fails(1, 'tags', 'Team/App')).toContain('is not an image name');
  });
});

describe.skipIf(gate.skip)(gate.title('veneer manifest inspect'), () => {
  test('prints the very bytes', () => {
    using box = sandbox('manifest');
    expect(box.ok('manifest', 'inspect', app)).toBe(index.bytes.toString());
    expect(box.ok('manifest', 'inspect', `${app}@${old.manifest.digest}`)).toBe(old.manifest.bytes.toString());
    const chosen = box.ok('manifest', 'inspect', '--platform', `linux/${elsewhere}`, app);
    expect(sha256(chosen)).toBe(theirs.manifest.digest);
    expect(existsSync(box.root)).toBe(false);
  });

  test('-v tells descriptors and platforms', () => {
    using box = sandbox('manifest');
    const list = JSON.parse(box.ok('manifest', 'inspect', '-v', app)) as object[];
    expect(list).toMatchObject([
      {
        Ref: `${app}:latest@${ours.manifest.digest}`,
        Descriptor: { digest: ours.manifest.digest, platform: { architecture: here, os: 'linux' } },
        OCIManifest: { schemaVersion: 2, config: { digest: ours.config.digest } },
      },
      {
        Ref: `${app}:latest@${theirs.manifest.digest}`,
        Descriptor: { size: theirs.manifest.bytes.length, platform: { architecture: elsewhere, os: 'linux' } },
        SchemaV2Manifest: { layers: [{ digest: theirs.layers[0]?.digest }] },
      },
    ]);
    expect(JSON.parse(box.ok('manifest', 'inspect', '--verbose', `${app}:1.0`))).toMatchObject({
      Ref: `${app}:1.0`,
      Descriptor: {
        mediaType: old.manifest.mediaType,
        digest: old.manifest.digest,
        size: old.manifest.bytes.length,
        platform: { architecture: here, os: 'linux' },
      },
      SchemaV2Manifest: { schemaVersion: 2 },
    });
  });

  test('says what there is not', () => {
    using box = sandbox('manifest');
    expect(box.fails(1, 'manifest', 'inspect', `${app}:none`)).toContain(`${app}:none`);
    const platform = box.fails(1, 'manifest', 'inspect', '--platform', 'linux/mips64', app);
    expect(platform).toContain('has no image for linux/mips64');
    expect(platform).toContain(`linux/${elsewhere}`);
  });
});

describe.skipIf(gate.skip)(gate.title('veneer inspect --remote'), () => {
  test('describes what would be pulled', () => {
    using box = sandbox('inspect');
    const [found] = JSON.parse(box.ok('inspect', '--remote', app)) as Record<string, unknown>[];
    expect(found).toMatchObject({
      Id: ours.config.digest,
      RepoTags: [`${app}:latest`],
      RepoDigests: [`${app}@${index.digest}`],
      Architecture: here,
      Config: { Cmd: ['/bin/true'], Labels: { seed: 'image' } },
      Size: ours.layers.reduce((sum, { bytes }) => sum + bytes.length, 0),
      RootFS: { Type: 'layers', Layers: ours.diffIds },
    });
    const other = ['--remote', '--platform', `linux/${elsewhere}`, app];
    expect(box.ok('image', 'inspect', '-f', '{{.Id}} {{.Architecture}}', ...other)).toBe(
      `${theirs.config.digest} ${elsewhere}`,
    );
    expect(sha256(box.ok('inspect', '--oci', 'config', ...other))).toBe(theirs.config.digest);
    expect(sha256(box.ok('inspect', '--oci', 'manifest', ...other))).toBe(theirs.manifest.digest);
    expect(existsSync(box.root)).toBe(false);
  });

  test('goes on after a name that is not there', () => {
    using box = sandbox('inspect');
    const { code, stdout, stderr } = box.run('inspect', '--remote', '-f', '{{.Id}}', `${app}:none`, `${app}:1.0`);
    expect({ code, stdout }).toEqual({ code: 1, stdout: `${old.config.digest}\n` });
    expect(stderr).toMatch(/^veneer: [^\n]*app:none[^\n]*\n( {2}hint: [^\n]+\n)?$/);
  });

  test('says which platforms there are', () => {
    using box = sandbox('inspect');
    const { code, stderr } = box.run('inspect', '--remote', '--platform', `linux/${elsewhere}`, `${app}:1.0`);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `veneer: ${app}:1.0 has no image for linux/${elsewhere}\n  hint: it has linux/${here}: choose with --platform\n`,
    });
  });
});
