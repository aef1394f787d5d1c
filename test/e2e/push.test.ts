import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rawManifest, sha256, startProxy, startRegistry } from '../helpers/registry/index.js';
import type { TestRegistry } from '../helpers/registry/index.js';
import { requires } from '../helpers/requires.js';
import { sandbox, sandboxWithBase } from '../helpers/run-cli.js';
import type { Sandbox } from '../helpers/run-cli.js';

const gate = requires('build', 'docker-registry', 'skopeo', 'setpriv');
const withPodman = requires('build', 'docker-registry', 'setpriv', 'podman', 'root');

/** `app`, with a layer of so many bytes that do not compress. */
function sandboxWithNoise(size: number): Sandbox {
  const box = sandbox('push');
  mkdirSync(box.at('tree'));
  writeFileSync(box.at('tree/noise'), randomBytes(size));
  execFileSync('tar', ['-C', box.at('tree'), '-cf', box.at('app.tar'), '.']);
  box.ok('import', box.at('app.tar'), 'app');
  return box;
}

describe.skipIf(gate.skip)(gate.title('veneer push'), () => {
  let registry: TestRegistry;
  beforeAll(async () => {
    registry = await startRegistry();
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  test('says what becomes of each layer, and the digest', async () => {
    using box = sandboxWithBase('push');
    const name = `${registry.host}/team/base:v1`;
    box.ok('tag', 'base', name);
    const first = box.run('push', name);
    const raw = await rawManifest(registry, 'team/base:v1');
    expect(first).toEqual({
      code: 0,
      stdout: `v1: digest: ${sha256(raw)} size: ${String(raw.length)}\n`,
      stderr: expect.stringMatching(
        new RegExp(`^The push refers to repository \\[${registry.host}/team/base\\]\n[0-9a-f]{12}: Pushed\n$`),
      ) as unknown,
    });
    expect(box.run('push', name).stderr).toMatch(/\n[0-9a-f]{12}: Layer already exists\n$/);
    expect(box.run('push', 'base', `docker://${registry.host}/other`).stderr).toMatch(
      new RegExp(`\n[0-9a-f]{12}: Mounted from ${registry.host}/team/base\n$`),
    );
    const digests = box.ok('inspect', '--format', '{{json .RepoDigests}}', name);
    expect(JSON.parse(digests)).toEqual([`${registry.host}/team/base@${sha256(raw)}`]);
    box.check();
  });

  test('-q prints the name alone, --digestfile has the digest', async () => {
    using box = sandboxWithBase('push');
    const name = `${registry.host}/quiet:latest`;
    expect(box.ok('push', '-q', '--digestfile', box.at('digest'), 'base', `${registry.host}/quiet`)).toBe(name);
    expect(readFileSync(box.at('digest'), 'utf8')).toBe(sha256(await rawManifest(registry, 'quiet:latest')));
  });

  test('--all-tags pushes all tags of the repository, and nothing else', async () => {
    using box = sandboxWithBase('push');
    const name = `${registry.host}/all`;
    for (const tag of ['b', 'a']) box.ok('tag', 'base', `${name}:${tag}`);
    box.ok('tag', 'base', `${name}-not:x`);
    const { code, stdout } = box.run('push', '--all-tags', name);
    const raw = await rawManifest(registry, 'all:a');
    const line = (tag: string): string => `${tag}: digest: ${sha256(raw)} size: ${String(raw.length)}\n`;
    expect([code, stdout]).toEqual([0, line('a') + line('b')]);
    expect(box.ok('tags', name).split('\n').sort()).toEqual(['a', 'b']);
    expect(box.run('tags', `${name}-not`).code).toBe(1);
  });

  test("--format docker is Docker's schema 2", async () => {
    using box = sandboxWithBase('push');
    expect(box.run('push', '--format', 'docker', 'base', `${registry.host}/docker`).code).toBe(0);
    const manifest: unknown = JSON.parse(await rawManifest(registry, 'docker:latest'));
    expect(manifest).toMatchObject({
      mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
      config: { mediaType: 'application/vnd.docker.container.image.v1+json' },
    });
  });

  test('says what there is not, and who does not answer', () => {
    using box = sandboxWithBase('push');
    expect(box.fails(1, 'push', `${registry.host}/nothing`)).toContain('no such image');
    expect(box.fails(1, 'push', '--all-tags', `${registry.host}/nothing`)).toContain('no image has a tag in');
    // What could be the start of an ID is a name here.
    const id = box.ok('images', '-q');
    expect(box.fails(1, 'push', id)).toContain(`no such image: ${id}:latest`);
    const refused = box.run('push', '--retry', '0', 'base', '127.0.0.1:1/x');
    expect(refused).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('connection refused') as unknown,
    });
  });

  test('tells a read-only registry by its own words', async () => {
    const body = JSON.stringify({ errors: [{ code: 'DENIED', message: 'this mirror is read-only' }] });
    const answer = { status: 403, body, headers: { 'content-type': 'application/json' } };
    await using proxy = await startProxy(registry.url, ({ method }) => (method === 'POST' ? { answer } : undefined));
    using box = sandboxWithBase('push');
    const { code, stderr } = await box.start(['push', 'base', `${proxy.host}/denied`]).ended;
    expect(code).toBe(1);
    expect(stderr).toContain('the registry says: denied: this mirror is read-only\n  hint: ');
  });

  test('ends well though connections are cut again and again', async () => {
    using box = sandboxWithNoise(6 << 20);
    let cuts = 0;
    await using proxy = await startProxy(registry.url, ({ method }) => {
      if (method !== 'PUT' && method !== 'PATCH') return undefined;
      cuts += 1;
      // The whole of it, then parts of it.
      return cuts <= 3 ? { cutRequestAfter: 1 << 20 } : undefined;
    });
    const args = ['push', '--retry-delay', '1ms', 'app', `${proxy.host}/cut:1`];
    expect(await box.start(args).ended).toMatchObject({ code: 0 });
    expect(proxy.seen('PATCH', /uploads/).length).toBeGreaterThan(2);
    const manifest = JSON.parse(await rawManifest(registry, 'cut:1')) as { layers: { digest: string }[] };
    expect(manifest.layers).toHaveLength(1);
  });

  test('stopped by ^C ends at once; the next one goes well', async () => {
    using box = sandboxWithNoise(4 << 20);
    let stop: (() => void) | undefined;
    const stalled = new Promise<void>((resolve) => (stop = resolve));
    await using proxy = await startProxy(registry.url, ({ method }) =>
      method === 'PUT' ? { after: new Promise(() => stop?.()) } : undefined,
    );
    const running = box.start(['push', 'app', `${proxy.host}/stopped:1`]);
    await stalled;
    running.child.kill('SIGINT');
    expect(await running.ended).toMatchObject({
      code: 130,
      stdout: '',
      stderr: expect.stringContaining('interrupted by SIGINT') as unknown,
    });
    box.check();
    proxy.rules = () => undefined;
    expect(await box.start(['push', 'app', `${proxy.host}/stopped:1`]).ended).toMatchObject({ code: 0 });
  });
});

describe.skipIf(withPodman.skip)(withPodman.title('podman'), () => {
  test.each([
    ['oci', 'zstd'],
    ['docker', 'gzip'],
  ])('pulls what was pushed: %s, %s', async (format, compression) => {
    await using registry = await startRegistry();
    using box = sandboxWithBase('push');
    const name = `${registry.host}/team/base:1`;
    expect(box.run('push', '--format', format, '--compression', compression, 'base', name).code).toBe(0);
    const digest = sha256(await rawManifest(registry, 'team/base:1'));
    const store = ['--root', box.at('podman'), '--runroot', box.at('run'), '--storage-driver', 'vfs'];
    const podman = (...args: string[]): string =>
      execFileSync('podman', [...store, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    podman('pull', '-q', '--tls-verify=false', name);
    expect(podman('image', 'inspect', '--format', '{{.Digest}}', name).trim()).toBe(digest);
    expect(podman('image', 'inspect', '--format', '{{.Id}}', name).trim()).toBe(
      box.ok('images', '-q', '--no-trunc').replace('sha256:', ''),
    );
  });
});
