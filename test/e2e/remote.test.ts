// What looks into a registry without pulling, and what pulls because an image is missing.

import { existsSync, mkdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hostPlatform } from '../../src/image/index.js';
import { fillWith, generateImage, generateIndex, sha256, startRegistry } from '../helpers/registry/index.js';
import type { TestRegistry } from '../helpers/registry/index.js';
import { requires } from '../helpers/requires.js';
import { sandbox } from '../helpers/run-cli.js';

const gate = requires('build', 'docker-registry', 'skopeo', 'setpriv');
const mounts = requires('build', 'docker-registry', 'skopeo', 'setpriv', 'root', 'fuse');

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

/** What was asked of the registry by `act`. */
function asked(act: () => void): string[] {
  const before = registry?.requests.length;
  act();
  return (registry?.requests ?? [])
    .slice(before)
    .map(({ method, path }) => `${method} ${path.replace('/v2/team/app/', '')}`);
}

describe.skipIf(gate.skip)(gate.title('veneer tags'), () => {
  test('prints a line for each tag', () => {
    using box = sandbox('tags');
    const tags = box.ok('tags', app).split('\n');
    const [first = ''] = tags;
    expect(tags.toSorted()).toEqual(['1.0', '1.1', 'latest', 's390']);
    expect(box.ok('tags', '--limit', '2', `docker://${app}`).split('\n')).toEqual(tags.slice(0, 2));
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
    expect(box.fails(1, 'tags', `https://${app}`)).toContain("leave out 'https://'");
    expect(box.fails(2, 'pull', 'oci:/x:1')).toContain('veneer load -i oci:/x:1 takes it in');
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
      Raw: old.manifest.bytes.toString('base64'),
      SchemaV2Manifest: { schemaVersion: 2 },
    });
  });

  test('--local prints what an image came with', () => {
    using box = sandbox('manifest');
    expect(box.run('pull', '-q', `${app}:1.0`)).toMatchObject({ code: 0 });
    expect(asked(() => box.ok('manifest', 'inspect', '--local', `${app}:1.0`))).toEqual([]);
    expect(box.ok('manifest', 'inspect', '--local', `${app}:1.0`)).toBe(old.manifest.bytes.toString());
    expect(JSON.parse(box.ok('manifest', 'inspect', '--local', '-v', `${app}:1.0`))).toMatchObject({
      Descriptor: { digest: old.manifest.digest, platform: { architecture: here } },
    });
    box.ok('import', box.tar('base.tar', { a: 'a\n' }), 'base');
    expect(box.fails(1, 'manifest', 'inspect', '--local', 'base')).toContain("'base' did not come with a manifest");
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

describe.skipIf(gate.skip)(gate.title('veneer create'), () => {
  test('pulls what is missing, and only then', () => {
    using box = sandbox('create');
    const first = box.run('create', '--name', 'one', app);
    expect(first.stdout).toMatch(/^[0-9a-f]{64}\n$/);
    expect(first.stderr).toContain(`Unable to find image '${app}:latest' locally\n`);
    expect(first.stderr).toContain(`Status: Downloaded newer image for ${app}:latest\n`);
    expect(asked(() => box.ok('create', app))).toEqual([]);
    expect(asked(() => box.run('create', '--pull', 'always', '-q', app))).toEqual(['HEAD manifests/latest']);
    expect(box.ok('inspect', '-f', '{{.Image}}', 'one')).toBe(ours.config.digest);
    expect(box.run('create', '--pull', 'always', `${app}:1.0`).stderr).not.toContain('Unable to find');
    box.check();
  });

  test('--quiet pulls without a word', () => {
    using box = sandbox('create');
    expect(box.ok('create', '--quiet', app)).toMatch(/^[0-9a-f]{64}$/);
  });

  test('--pull never asks nobody', () => {
    using box = sandbox('create');
    const requests = asked(() => {
      expect(box.fails(1, 'create', '--pull', 'never', app)).toBe(
        `veneer: no such image: ${app}\n  hint: without --pull never its registry is asked\n`,
      );
    });
    expect(requests).toEqual([]);
  });

  test('--platform pulls another image of the name', () => {
    using box = sandbox('create');
    box.ok('create', '-q', app);
    const platform = ['--platform', `linux/${elsewhere}`];
    expect(box.fails(1, 'create', '--pull', 'never', ...platform, app)).toContain(
      `image '${app}' is for linux/${here}, not for linux/${elsewhere}`,
    );
    const { stdout, stderr } = box.run('create', ...platform, app);
    expect(stderr).toContain(`Image '${app}:latest' here is for linux/${here}, not for linux/${elsewhere}\n`);
    expect(box.ok('inspect', '-f', '{{.Image}}', stdout.trim())).toBe(theirs.config.digest);
    expect(box.fails(1, 'create', ...platform, ours.config.digest)).toContain(`is for linux/${here}`);
    box.check();
  });

  test('--pull always leaves what has no name to ask for', () => {
    using box = sandbox('create');
    const id = box.ok('import', box.tar('base.tar', { a: 'a\n' })).slice('sha256:'.length);
    for (const name of [id, id.slice(0, 12), 'scratch']) box.ok('create', '--pull', 'always', name);
  });

  test('tells what the registry says', () => {
    using box = sandbox('create');
    const { code, stdout, stderr } = box.run('create', `${app}:none`);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^Unable to find image '\S+:none' locally\n(?:[^\n]*\n)?veneer: [^\n]*app:none[^\n]*\n/);
    expect(box.ok('ps', '-aq')).toBe('');
    const blocked = box.run('create', 'none');
    expect(blocked.stderr).toMatch(/^Unable to find image 'none:latest' locally\n(?:[^\n]*\n)?veneer: [^\n]*blocked/);
  });
});

describe.skipIf(mounts.skip)(mounts.title('veneer mount'), () => {
  test('pulls what is missing where it has a directory', () => {
    using box = sandbox('mount');
    mkdirSync(box.at('m'));
    expect(asked(() => box.fails(1, 'mount', app))).toEqual([]);
    const { code, stdout, stderr } = box.run('mount', app, box.at('m'));
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${box.at('m')}\n` });
    expect(stderr).toContain(`Unable to find container or image '${app}' locally\n`);
    expect(existsSync(box.at('m', 'layers/1'))).toBe(true);
    box.ok('umount', box.at('m'));
    expect(box.fails(1, 'mount', '--pull', 'never', `${app}:1.0`, box.at('m'))).toContain('no such image');
  });
});
