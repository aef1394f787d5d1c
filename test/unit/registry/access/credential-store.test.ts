import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { CredentialStore, Secret } from '../../../../src/registry/index.js';
import type { Credential, CredentialStoreOptions } from '../../../../src/registry/index.js';
import { tempDir } from '../../../helpers/tmp.js';
import { makeHelper } from '../../../helpers/registry/helper-program.js';
import { shownCredential } from './shown-credential.js';

const HUB_KEY = 'https://index.docker.io/v1/';
const DOCKER = 'home/.docker/config.json';
const RUNTIME = 'run/containers/auth.json';
const CONTAINERS = 'home/.config/containers/auth.json';
const LEGACY = 'home/.dockercfg';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const basic = (username: string, password: string): Credential => ({
  kind: 'basic',
  username,
  password: new Secret(password),
});
/** `auths` from host -> user. */
const auths = (users: Readonly<Record<string, string>>, others: object = {}): object => ({
  ...others,
  auths: Object.fromEntries(Object.entries(users).map(([key, user]) => [key, { auth: base64(`${user}:pw`) }])),
});

interface Home {
  readonly at: (name: string) => string;
  readonly read: (name: string) => unknown;
  readonly store: (options?: Partial<CredentialStoreOptions>) => CredentialStore;
  /** Who one is at `HOST[/REPOSITORY]`. */
  readonly who: (name: string, options?: Partial<CredentialStoreOptions>) => Promise<string | undefined>;
}

/** A user with these files (JSON, or text as it is). */
async function withHome(files: Readonly<Record<string, unknown>>, act: (home: Home) => Promise<void>): Promise<void> {
  using temp = tempDir('creds');
  const at = (name: string): string => path.join(temp.path, name);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(at(name)), { recursive: true });
    writeFileSync(at(name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  const env = { XDG_RUNTIME_DIR: at('run'), PATH: `${at('bin')}:${process.env['PATH'] ?? ''}` };
  const store: Home['store'] = (options) =>
    new CredentialStore({ home: at('home'), ...options, env: { ...env, ...options?.env } });
  await act({
    at,
    read: (name) => JSON.parse(readFileSync(at(name), 'utf8')) as unknown,
    store,
    async who(name, options) {
      const [registry = '', ...steps] = name.split('/');
      return shownCredential(await store(options).find({ registry, repository: steps.join('/') }));
    },
  });
}

describe('who one is', () => {
  test('is asked of files in order', async () => {
    const files = {
      [RUNTIME]: auths({ 'a.x': 'runtime' }),
      [CONTAINERS]: auths({ 'a.x': 'containers', 'b.x': 'containers' }),
      [DOCKER]: auths({ 'a.x': 'docker', 'b.x': 'docker', 'c.x': 'docker' }),
      [LEGACY]: { 'https://c.x/v1/': { auth: base64('legacy:pw') }, 'https://d.x/v1/': { auth: base64('legacy:pw') } },
    };
    await withHome(files, async ({ who }) => {
      expect(await Promise.all(['a.x', 'b.x', 'c.x', 'd.x', 'e.x'].map((it) => who(it)))).toEqual([
        'runtime:pw',
        'containers:pw',
        'docker:pw',
        'legacy:pw',
        undefined,
      ]);
    });
  });

  test('is asked of one file alone, where that is named', async () => {
    const files = {
      'my.json': auths({ 'a.x': 'my' }),
      'env.json': auths({ 'a.x': 'env' }),
      [DOCKER]: auths({ 'b.x': 'docker' }),
    };
    await withHome(files, async ({ at, who }) => {
      const env = { REGISTRY_AUTH_FILE: at('env.json') };
      expect(await who('a.x', { env })).toBe('env:pw');
      expect(await who('b.x', { env })).toBeUndefined();
      expect(await who('a.x', { env, authfile: at('my.json') })).toBe('my:pw');
      expect(await who('a.x', { env: { REGISTRY_AUTH_FILE: at('none.json') } })).toBeUndefined();
      await expect(who('a.x', { authfile: at('none.json') })).rejects.toThrow(
        `--authfile: there is no file '${at('none.json')}'`,
      );
    });
  });

  test('is asked where DOCKER_CONFIG and XDG_CONFIG_HOME point', async () => {
    const files = { 'dc/config.json': auths({ 'a.x': 'dc' }), 'xdg/containers/auth.json': auths({ 'b.x': 'xdg' }) };
    await withHome(files, async ({ at, who }) => {
      const env = { DOCKER_CONFIG: at('dc'), XDG_CONFIG_HOME: at('xdg') };
      expect([await who('a.x', { env }), await who('b.x', { env })]).toEqual(['dc:pw', 'xdg:pw']);
    });
  });

  test('is what the command line says, for the host that it names', async () => {
    await withHome({ [DOCKER]: auths({ 'm.x': 'mirror' }) }, async ({ store }) => {
      const found = store({ fixed: basic('amy', 'secret') });
      expect(shownCredential(await found.find({ registry: 'a.x', repository: 'r' }))).toBe('amy:secret');
      expect(shownCredential(await found.find({ registry: 'm.x', isSubstitute: true }))).toBe('mirror:pw');
      expect(await found.find({ registry: 'n.x', isSubstitute: true })).toBeUndefined();
    });
  });

  test('is that of the longest name', async () => {
    const users = { 'a.x': 'host', 'a.x/team': 'team', 'a.x/team/app/deep': 'deep', 'a.x/te': 'te' };
    await withHome({ [CONTAINERS]: auths(users) }, async ({ who }) => {
      expect(await who('a.x/team/app')).toBe('team:pw');
      expect(await who('a.x/team')).toBe('team:pw');
      expect(await who('a.x/team/app/deep/er')).toBe('deep:pw');
      expect(await who('a.x/teams/app')).toBe('host:pw');
      expect(await who('a.x:5000/team')).toBeUndefined();
    });
  });

  test.each([
    ['docker.io', 'docker.io'],
    [HUB_KEY, 'docker.io'],
    [HUB_KEY, 'registry-1.docker.io'],
    ['index.docker.io', 'docker.io'],
    ['https://reg.x', 'reg.x'],
    ['http://reg.x:5000/v2/', 'reg.x:5000'],
  ])('a key %s is for %s', async (key, registry) => {
    await withHome({ [DOCKER]: auths({ [key]: 'amy' }) }, async ({ who }) => {
      expect(await who(`${registry}/library/x`)).toBe('amy:pw');
    });
  });

  test('is that of a key as it is written today, before that of an address', async () => {
    await withHome({ [DOCKER]: auths({ 'https://a.x/v1/': 'old', 'a.x': 'new' }) }, async ({ who }) => {
      expect(await who('a.x')).toBe('new:pw');
    });
  });

  test('is not told by empty entries, nor by the malformed ones of others', async () => {
    const files = { [RUNTIME]: { auths: { 'a.x': {}, 'https://a.x': { auth: base64('amy:pw') }, 'b.x': 7 } } };
    await withHome(files, async ({ at, who }) => {
      expect(await who('a.x')).toBe('amy:pw');
      await expect(who('b.x')).rejects.toThrow(`malformed entry 'b.x' in '${at(RUNTIME)}': it is not an object`);
    });
  });

  test.each([
    ['no JSON', '{"auths": {"a.x": {"auth": "c2VjcmV0"}', /': not JSON$/],
    ['a list', '["c2VjcmV0"]', /': it is not a JSON object$/],
    ['auths of another type', '{"auths": "c2VjcmV0"}', /': 'auths' is not a table$/],
    ['credHelpers of another type', '{"credHelpers": ["c2VjcmV0"]}', /': 'credHelpers' is not a table$/],
    ['credsStore of another type', '{"credsStore": ["c2VjcmV0"]}', /': 'credsStore' is not a string$/],
    ['4 MiB', ' '.repeat((4 << 20) + 1), /' is larger than 4 MiB$/],
  ])('a file that has %s is named', async (_what, content, message) => {
    await withHome({ [DOCKER]: content }, async ({ who }) => {
      const error = await who('a.x').then(() => undefined, (thrown: unknown) => thrown as Error); // prettier-ignore
      expect(error?.message).toMatch(message);
      expect(error?.message).toContain(DOCKER);
      expect(error?.cause).toBeUndefined();
      expect(error?.stack).not.toContain('c2VjcmV0');
    });
  });

  test('nothing, in files that are empty', async () => {
    await withHome({ [DOCKER]: '', [CONTAINERS]: '{}', [RUNTIME]: '{"auths":null}' }, async ({ who }) => {
      expect(await who('a.x')).toBeUndefined();
    });
  });
});

describe('helpers', () => {
  test('of a registry, of all others, and entries for what neither knows', async () => {
    const config = auths(
      { 'a.x': 'file', 'b.x': 'file', 'c.x': 'file' },
      { credHelpers: { 'a.x': 'one' }, credsStore: 'two' },
    );
    await withHome({ [DOCKER]: config }, async ({ at, who }) => {
      makeHelper(at('.'), 'one', `echo '{"Username":"one","Secret":"pw"}'`);
      makeHelper(
        at('.'),
        'two',
        `read -r it; [ "$it" = b.x ] && echo '{"Username":"<token>","Secret":"t"}' || { echo credentials not found in native keychain; exit 1; }`,
      );
      expect([await who('a.x'), await who('b.x'), await who('c.x')]).toEqual(['one:pw', 'token t', 'file:pw']);
    });
  });

  test('are none where the name is empty: the file itself keeps what is for that registry', async () => {
    const config = auths({ 'a.x': 'file' }, { credHelpers: { 'a.x': '', 'b.x': null }, credsStore: 'one' });
    await withHome({ [DOCKER]: config, [CONTAINERS]: { credsStore: '' } }, async ({ at, store, who }) => {
      const program = makeHelper(at('.'), 'one');
      expect(await who('a.x')).toBe('file:pw');
      expect(await store().save({ registry: 'a.x' }, basic('amy', 'pw'))).toEqual({ where: at(DOCKER), isPlain: true });
      expect(program.calls()).toEqual([]);
      expect((await store().save({ registry: 'b.x' }, basic('amy', 'pw'))).isPlain).toBe(false);
    });
  });

  test('are asked for Docker Hub by both its names, once', async () => {
    await withHome({ [DOCKER]: { credHelpers: { [HUB_KEY]: 'x' } } }, async ({ at, store }) => {
      const program = makeHelper(
        at('.'),
        'x',
        `read -r it; [ "$it" = docker.io ] && echo '{"Username":"amy","Secret":"pw"}' || { echo credentials not found in native keychain; exit 1; }`,
      );
      const asked = store();
      const names = ['library/a', 'library/b'];
      for (const repository of names) {
        expect(shownCredential(await asked.find({ registry: 'docker.io', repository }))).toBe('amy:pw');
      }
      expect(program.calls()).toEqual(['get', 'get']);
    });
  });

  test('that are missing: an error for a registry of theirs, as if not named for all others', async () => {
    const config = auths({ 'a.x': 'amy', 'b.x': 'amy' }, { credHelpers: { 'a.x': 'gone' }, credsStore: 'desktop' });
    await withHome({ [DOCKER]: config }, async ({ at, who, store }) => {
      await expect(who('a.x')).rejects.toThrow(`'docker-credential-gone' is not installed, which '${at(DOCKER)}' asks`);
      expect([await who('b.x'), await who('c.x')]).toEqual(['amy:pw', undefined]);
      // To keep something in a helper that is not there fails.
      await expect(store().save({ registry: 'c.x' }, basic('amy', 'pw'))).rejects.toThrow('docker-credential-desktop');
      expect(await store().erase({ registry: 'b.x' })).toEqual([at(DOCKER)]);
    });
  });
});

describe('what is saved', () => {
  test("stands in docker's file, with all else that is there", async () => {
    const config = { HttpHeaders: { a: 'b' }, auths: { 'https://a.x': { auth: 'old' }, 'b.x': {} }, psFormat: 'x' };
    await withHome({ [DOCKER]: config }, async ({ at, read, store, who }) => {
      expect(await store().save({ registry: 'a.x' }, basic('amy', 'pw'))).toEqual({ where: at(DOCKER), isPlain: true });
      expect(read(DOCKER)).toEqual({
        HttpHeaders: { a: 'b' },
        auths: { 'b.x': {}, 'a.x': { auth: base64('amy:pw') } },
        psFormat: 'x',
      });
      expect(readFileSync(at(DOCKER), 'utf8')).toMatch(/^\{\n\t"HttpHeaders": \{\n\t\t"a": "b"/);
      expect(statSync(at(DOCKER)).mode & 0o777).toBe(0o600);
      expect(await who('a.x')).toBe('amy:pw');
    });
  });

  test('makes the file where there is none', async () => {
    await withHome({}, async ({ at, read, store }) => {
      await store().save(
        { registry: 'docker.io' },
        { kind: 'identity-token', token: new Secret('t'), username: 'amy' },
      );
      expect(read(DOCKER)).toEqual({ auths: { [HUB_KEY]: { auth: base64('amy:'), identitytoken: 't' } } });
      expect(statSync(path.dirname(at(DOCKER))).mode & 0o777).toBe(0o700);
    });
  });

  test('stands where it is not hidden by what another file says', async () => {
    await withHome({ [RUNTIME]: auths({ 'a.x': 'old', 'docker.io': 'old' }) }, async ({ at, read, store, who }) => {
      expect((await store().save({ registry: 'a.x' }, basic('amy', 'pw'))).where).toBe(at(RUNTIME));
      expect((await store().save({ registry: 'docker.io' }, basic('amy', 'pw'))).where).toBe(at(RUNTIME));
      expect((await store().save({ registry: 'b.x' }, basic('amy', 'pw'))).where).toBe(at(DOCKER));
      expect(read(RUNTIME)).toEqual(auths({ 'a.x': 'amy', 'docker.io': 'amy' }));
      expect([await who('a.x'), await who('b.x'), await who('docker.io')]).toEqual(['amy:pw', 'amy:pw', 'amy:pw']);
    });
  });

  test('stands in the file that is named', async () => {
    await withHome({ [DOCKER]: auths({ 'a.x': 'old' }) }, async ({ at, read, store }) => {
      await store({ authfile: at('new/auth.json') }).save({ registry: 'docker.io' }, basic('amy', 'pw'));
      await store({ env: { REGISTRY_AUTH_FILE: at('config.json') } }).save(
        { registry: 'docker.io' },
        basic('amy', 'pw'),
      );
      expect(read('new/auth.json')).toEqual(auths({ 'docker.io': 'amy' }));
      expect(read('config.json')).toEqual(auths({ [HUB_KEY]: 'amy' }));
      expect(read(DOCKER)).toEqual(auths({ 'a.x': 'old' }));
    });
  });

  test('may be for a namespace', async () => {
    await withHome({ [DOCKER]: { credsStore: 'x' } }, async ({ at, read, store, who }) => {
      const program = makeHelper(at('.'), 'x');
      await store().save({ registry: 'a.x', namespace: 'team' }, basic('amy', 'pw'));
      expect(read(DOCKER)).toEqual(auths({ 'a.x/team': 'amy' }, { credsStore: 'x' }));
      expect(program.calls()).toEqual([]);
      expect([await who('a.x/team/app'), await who('a.x/other')]).toEqual(['amy:pw', undefined]);
    });
  });

  test('is kept by the helper for it, and an empty entry beside it', async () => {
    const config = auths({ 'a.x': 'old' }, { credHelpers: { 'b.x': 'two' }, credsStore: 'one' });
    await withHome({ [DOCKER]: config }, async ({ at, read, store, who }) => {
      const [one, two] = [makeHelper(at('.'), 'one'), makeHelper(at('.'), 'two')];
      expect(await store().save({ registry: 'a.x' }, basic('amy', 'pw'))).toEqual({
        where: 'docker-credential-one',
        isPlain: false,
      });
      await store().save({ registry: 'b.x' }, basic('bob', 'pw'));
      await store().save({ registry: 'docker.io' }, { kind: 'identity-token', token: new Secret('t') });
      expect(one.kept('a.x')).toEqual({ ServerURL: 'a.x', Username: 'amy', Secret: 'pw' });
      expect(two.kept('b.x')).toEqual({ ServerURL: 'b.x', Username: 'bob', Secret: 'pw' });
      expect(one.kept(HUB_KEY)).toEqual({ ServerURL: HUB_KEY, Username: '<token>', Secret: 't' });
      expect(read(DOCKER)).toMatchObject({ auths: { 'a.x': {}, 'b.x': {}, [HUB_KEY]: {} } });
      expect(JSON.stringify(read(DOCKER))).not.toContain('auth"');
      expect([await who('a.x'), await who('b.x'), await who('docker.io')]).toEqual(['amy:pw', 'bob:pw', 'token t']);
    });
  });

  test('is in no file if the helper fails', async () => {
    await withHome({ [DOCKER]: { credsStore: 'x' } }, async ({ at, read, store }) => {
      makeHelper(at('.'), 'x', 'echo locked; exit 1');
      await expect(store().save({ registry: 'a.x' }, basic('amy', 'pw'))).rejects.toThrow("store' failed: locked");
      expect(read(DOCKER)).toEqual({ credsStore: 'x' });
    });
  });

  test('from several programs at once is all there', async () => {
    await withHome({}, async ({ read, store }) => {
      const hosts = Array.from({ length: 8 }, (_, at) => `r${String(at)}.x`);
      await Promise.all(hosts.map((registry) => store().save({ registry }, basic('amy', 'pw'))));
      expect(read(DOCKER)).toEqual(auths(Object.fromEntries(hosts.map((host) => [host, 'amy']))));
    });
  });
});

describe('what is forgotten', () => {
  test('is forgotten wherever it would be found', async () => {
    const files = {
      [RUNTIME]: auths({ 'a.x': 'one', 'a.x/team': 'team', 'b.x': 'b' }),
      [DOCKER]: { auths: { 'https://a.x/v1/': { auth: 'broken' } }, credsStore: 'x', other: 1 },
      [LEGACY]: { 'a.x': { auth: base64('legacy:pw') }, 'b.x': {} },
    };
    await withHome(files, async ({ at, read, store, who }) => {
      const program = makeHelper(at('.'), 'x');
      await store().save({ registry: 'c.x' }, basic('amy', 'pw'));
      expect(program.kept('c.x')).toBeDefined();
      expect(await store().erase({ registry: 'a.x' })).toEqual([at(RUNTIME), at(DOCKER), at(LEGACY)]);
      expect(await who('a.x')).toBeUndefined();
      expect(await who('a.x/team')).toBe('team:pw');
      expect(read(RUNTIME)).toEqual(auths({ 'a.x/team': 'team', 'b.x': 'b' }));
      expect(read(DOCKER)).toEqual({ auths: { 'c.x': {} }, credsStore: 'x', other: 1 });
      expect(read(LEGACY)).toEqual({ 'b.x': {} });
      expect(await store().erase({ registry: 'a.x' })).toEqual([]);
      expect(await store().erase({ registry: 'a.x', namespace: 'team' })).toEqual([at(RUNTIME)]);
      expect(await store().erase({ registry: 'c.x' })).toEqual(['docker-credential-x']);
      expect(program.kept('c.x')).toBeUndefined();
      expect(read(DOCKER)).toEqual({ auths: {}, credsStore: 'x', other: 1 });
    });
  });

  test('makes no files', async () => {
    await withHome({}, async ({ at, store }) => {
      expect(await store().erase({ registry: 'a.x' })).toEqual([]);
      expect(await store().eraseAll()).toEqual([]);
      expect(existsSync(at('home'))).toBe(false);
    });
  });

  test('is all there is, in helpers too', async () => {
    const config = auths(
      { 'f.x': 'amy' },
      { credHelpers: { 'b.x': 'two', 'g.x': 'gone' }, credsStore: 'one', other: 1 },
    );
    await withHome({ [DOCKER]: config, [CONTAINERS]: auths({ 'a.x': 'amy' }) }, async ({ at, read, store, who }) => {
      const [one, two] = [makeHelper(at('.'), 'one'), makeHelper(at('.'), 'two')];
      for (const registry of ['b.x', 'c.x', 'docker.io']) await store().save({ registry }, basic('amy', 'pw'));
      expect(await store().eraseAll()).toEqual([
        at(CONTAINERS),
        'docker-credential-two',
        'docker-credential-one',
        at(DOCKER),
      ]);
      expect([one.kept('c.x'), one.kept(HUB_KEY), two.kept('b.x')]).toEqual([undefined, undefined, undefined]);
      expect(read(DOCKER)).toEqual({ ...config, auths: {} });
      expect(read(CONTAINERS)).toEqual({ auths: {} });
      expect(await who('a.x')).toBeUndefined();
    });
  });
});
