import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadRegistryConfig } from '../../../../src/registry/index.js';
import type { Endpoint, EndpointUse, RegistryConfig } from '../../../../src/registry/index.js';
import { tempDir } from '../../../helpers/tmp.js';

/** A machine of its own: `etc` and `home` below a directory, from path -> content. */
function machine(
  files: Readonly<Record<string, string>>,
  act: (load: (options?: { env?: NodeJS.ProcessEnv; tlsVerify?: boolean }) => RegistryConfig, dir: string) => void,
): void {
  using temp = tempDir('config');
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(temp.path, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
  const [etc, home] = [path.join(temp.path, 'etc'), path.join(temp.path, 'home')];
  act(({ env = {}, ...options } = {}) => loadRegistryConfig({ env, home, etc, ...options }), temp.path);
}

/** Where a name is looked for, in short: `mirror!`, HOST/REPOSITORY, `?` unverified, `+` verified. */
function told(endpoints: readonly Endpoint[]): string[] {
  return endpoints.map(({ origin, prefix, repository, isMirror, tls }) => {
    const verify = { true: '+', false: '?', undefined: '' }[String(tls.verify)] ?? '';
    return `${isMirror ? 'mirror!' : ''}${origin}${prefix}/${repository}${verify}`;
  });
}

const DIGEST = `sha256:${'0'.repeat(64)}`;
const TAG: EndpointUse = { reference: 'latest' };
const PULL: EndpointUse = { reference: DIGEST };

/** `HOST/REPOSITORY` as the client has it. */
function split(name: string): { registry: string; repository: string } {
  const slash = name.indexOf('/');
  return { registry: name.slice(0, slash), repository: name.slice(slash + 1) };
}

const conf = (text: string): Record<string, string> => ({ 'etc/containers/registries.conf': text });

describe('where a repository is', () => {
  test('without configuration: at its registry', () => {
    machine({}, (load) => {
      expect(load().endpoints(split('example.com/a/b'), TAG)).toEqual([
        {
          origin: 'example.com',
          prefix: '',
          repository: 'a/b',
          credentialsOf: { registry: 'example.com', repository: 'a/b' },
          isMirror: false,
          tls: { verify: undefined, ...tlsOfSystem(load) },
        },
      ]);
    });
  });

  test('the longest prefix rules, at borders of names only', () => {
    const text = `
      [[registry]]
      location = "example.com"
      insecure = true
      [[registry]]
      prefix = "example.com/foo"
      location = "in.example/bar"
      [[registry]]
      prefix = "example.com/foo/deep"
      location = "deep.example"
      [[registry]]
      prefix = "*.example.com"
      insecure = false
      [[registry]]
      prefix = "*.sub.example.com"
      location = "sub.example"
      [[registry]]
      location = "x.sub.example.com"
      insecure = true`;
    machine(conf(text), (load) => {
      const where = (name: string): string[] => told(load().endpoints(split(name), TAG));
      expect(where('example.com/a')).toEqual(['example.com/a?']);
      expect(where('example.com/foo')).toEqual(['in.example/bar']);
      expect(where('example.com/foo/a')).toEqual(['in.example/bar/a']);
      expect(where('example.com/foobar')).toEqual(['example.com/foobar?']);
      expect(where('example.com/foo/deep/a')).toEqual(['deep.example/a']);
      expect(where('example.com:5000/a')).toEqual(['example.com:5000/a']);
      expect(where('a.example.com/a')).toEqual(['a.example.com/a+']);
      expect(where('a.b.example.com:5000/a')).toEqual(['a.b.example.com:5000/a+']);
      expect(where('a.sub.example.com/a')).toEqual(['sub.example/a']);
      expect(where('x.sub.example.com/a')).toEqual(['x.sub.example.com/a?']);
      expect(where('badexample.com/a')).toEqual(['badexample.com/a']);
      expect(where('example.com/')).toEqual(['example.com/?']);
    });
  });

  test('a rewriting that makes no name is refused', () => {
    machine(
      conf('[[registry]]\nprefix="a.b/c"\nlocation="d"\n[[registry]]\nprefix="a.b/d"\nlocation="x/y:tag"'),
      (load) => {
        expect(() => load().endpoints(split('a.b/c'), TAG)).toThrow(
          /registries.conf' makes 'd' of a.b\/c: that is no name/,
        );
        expect(() => load().endpoints(split('a.b/d'), TAG)).toThrow(/that is no name/);
      },
    );
  });

  test('mirrors come first, for what they are for', () => {
    const text = `
      [[registry]]
      prefix = "docker.io"
      location = "hub.local:5000/hub"
      [[registry.mirror]]
      location = "m1.local/cache"
      insecure = true
      [[registry.mirror]]
      location = "m2.local"
      pull-from-mirror = "digest-only"
      [[registry.mirror]]
      location = "m3.local"
      pull-from-mirror = "tag-only"
      [[registry]]
      location = "only.digests"
      mirror-by-digest-only = true
      [[registry.mirror]]
      location = "m4.local"`;
    machine(conf(text), (load) => {
      const where = (name: string, use: EndpointUse): string[] => told(load().endpoints(split(name), use));
      const [m1, m2, m3] = [
        'mirror!m1.local/cache/library/debian?',
        'mirror!m2.local/library/debian',
        'mirror!m3.local/library/debian',
      ];
      const own = 'hub.local:5000/hub/library/debian';
      expect(where('docker.io/library/debian', TAG)).toEqual([m1, m3, own]);
      expect(where('docker.io/library/debian', PULL)).toEqual([m1, m2, own]);
      expect(where('docker.io/library/debian', {})).toEqual([m1, m2, m3, own]);
      expect(where('docker.io/', {})).toEqual(['hub.local:5000/hub/']);
      expect(where('only.digests/a', TAG)).toEqual(['only.digests/a']);
      expect(where('only.digests/a', PULL)).toEqual(['mirror!m4.local/a', 'only.digests/a']);
      // containers-registries.conf(5): "only when reading images, not when pushing".
      expect(where('docker.io/library/debian', { write: true })).toEqual(['docker.io/library/debian']);
    });
  });

  test('credentials are those of the place, and the place tells whether it is the one that was named', () => {
    const text = `[[registry]]
      prefix = "a.example/team"
      location = "b.example/t"
      [[registry.mirror]]
      location = "a.example/mirror"
      [[registry]]
      prefix = "docker.io"
      location = "registry-1.docker.io"`;
    machine(conf(text), (load) => {
      const of = (name: string): unknown =>
        load()
          .endpoints(split(name), TAG)
          .map((it) => it.credentialsOf);
      expect(of('a.example/team/x')).toEqual([
        { registry: 'a.example', repository: 'mirror/x' },
        { registry: 'b.example', repository: 't/x', isSubstitute: true },
      ]);
      expect(of('docker.io/library/x')).toEqual([{ registry: 'registry-1.docker.io', repository: 'library/x' }]);
    });
  });

  test('a blocked one is refused, for writing too', () => {
    machine(conf('[[registry]]\nlocation="bad.example/team"\nblocked=true'), (load) => {
      for (const use of [TAG, { write: true }]) {
        expect(() => load().endpoints(split('bad.example/team/x'), use)).toThrow(
          expect.objectContaining({
            code: 'permission',
            message: expect.stringMatching(
              /^registry 'bad.example\/team' is blocked in '.*registries.conf'$/,
            ) as unknown,
          }) as Error,
        );
      }
      expect(told(load().endpoints(split('bad.example/x'), TAG))).toEqual(['bad.example/x']);
    });
  });
});

describe('which files count', () => {
  const insecure = (host: string, value = true): string =>
    `[[registry]]\nlocation="${host}"\ninsecure=${String(value)}\n`;
  const files = {
    'etc/containers/registries.conf': insecure('a.x') + insecure('b.x'),
    'etc/containers/registries.conf.d/2.conf': insecure('b.x', false) + insecure('c.x'),
    'etc/containers/registries.conf.d/1.conf': insecure('b.x'),
    'etc/containers/registries.conf.d/3.conf.bak': 'not TOML [',
    'home/.config/containers/registries.conf.d/1.conf': insecure('d.x'),
  };
  const seen = (config: RegistryConfig): string =>
    ['a.x', 'b.x', 'c.x', 'd.x', 'e.x'].map((host) => told(config.endpoints(split(`${host}/r`), TAG))).join(' ');

  test("the machine's, its drop-ins by name, the user's drop-ins", () => {
    machine(files, (load) => {
      expect(seen(load())).toBe('a.x/r? b.x/r+ c.x/r? d.x/r? e.x/r');
    });
  });

  test("a user's file stands for the machine's", () => {
    machine({ ...files, 'home/.config/containers/registries.conf': insecure('e.x') }, (load) => {
      expect(seen(load())).toBe('a.x/r b.x/r c.x/r d.x/r? e.x/r?');
    });
  });

  test('XDG_CONFIG_HOME moves it', () => {
    machine({ ...files, 'xdg/containers/registries.conf': insecure('e.x') }, (load, dir) => {
      expect(seen(load({ env: { XDG_CONFIG_HOME: path.join(dir, 'xdg') } }))).toBe('a.x/r b.x/r c.x/r d.x/r e.x/r?');
    });
  });

  test('CONTAINERS_REGISTRIES_CONF names the main one, and must be there', () => {
    machine({ ...files, 'my.conf': insecure('e.x') }, (load, dir) => {
      const CONTAINERS_REGISTRIES_CONF = path.join(dir, 'my.conf');
      expect(seen(load({ env: { CONTAINERS_REGISTRIES_CONF } }))).toBe('a.x/r b.x/r+ c.x/r? d.x/r? e.x/r?');
      expect(() => load({ env: { CONTAINERS_REGISTRIES_CONF: `${dir}/none` } })).toThrow(/there is no file/);
    });
  });

  test('a file that cannot be understood is named in one line', () => {
    machine({ 'etc/containers/registries.conf.d/x.conf': 'a = \nb' }, (load) => {
      expect(() => load()).toThrow(/^malformed '[^\n]*\/registries.conf.d\/x.conf', line 1: [^\n]+$/);
    });
    machine({ 'etc/docker/daemon.json': '{"a": secret}' }, (load) => {
      expect(() => load()).toThrow(/^malformed '[^\n]*\/daemon.json': not JSON$/);
    });
    machine({ 'etc/docker/daemon.json/x': '' }, (load) => {
      expect(() => load()).toThrow(/daemon.json' is not a file$/);
    });
  });
});

describe("docker's daemon.json", () => {
  const daemon = (value: unknown): Record<string, string> => ({ 'etc/docker/daemon.json': JSON.stringify(value) });

  test('has mirrors of Docker Hub, after those of registries.conf', () => {
    const files = {
      ...daemon({ 'registry-mirrors': ['https://m.example/', 'http://10.0.0.1:5000/hub/'], debug: true }),
      ...conf('[[registry]]\nlocation="docker.io"\n[[registry.mirror]]\nlocation="first.example"'),
    };
    machine(files, (load) => {
      expect(told(load().endpoints(split('docker.io/library/debian'), TAG))).toEqual([
        'mirror!first.example/library/debian',
        'mirror!m.example/library/debian',
        'mirror!10.0.0.1:5000/hub/library/debian?',
        'docker.io/library/debian',
      ]);
      expect(told(load().endpoints(split('quay.io/a'), TAG))).toEqual(['quay.io/a']);
      expect(told(load().endpoints(split('docker.io/library/debian'), { write: true }))).toEqual([
        'docker.io/library/debian',
      ]);
    });
  });

  test('has insecure hosts and networks', () => {
    const list = ['a.example:5000', 'http://b.example/', '10.1.0.0/16', 'fd00::/8'];
    machine(daemon({ 'insecure-registries': list }), (load) => {
      const where = (name: string): string => told(load().endpoints(split(name), TAG)).join();
      expect(where('a.example:5000/r')).toBe('a.example:5000/r?');
      expect(where('a.example/r')).toBe('a.example/r');
      expect(where('b.example/r')).toBe('b.example/r?');
      expect(where('10.1.2.3:443/r')).toBe('10.1.2.3:443/r?');
      expect(where('10.2.2.3/r')).toBe('10.2.2.3/r');
      expect(where('[fd00::1]:5000/r')).toBe('[fd00::1]:5000/r?');
      expect(where('[fe80::1]/r')).toBe('[fe80::1]/r');
    });
  });

  test.each([
    ['a mirror without scheme', { 'registry-mirrors': ['m.example'] }],
    ['a mirror with a password', { 'registry-mirrors': ['https://u:secret@m.example'] }],
    ['a mirror with a query', { 'registry-mirrors': ['https://m.example/?secret'] }],
    ['a mirror of another scheme', { 'registry-mirrors': ['file:///secret'] }],
    ['no list', { 'registry-mirrors': 'https://m.example' }],
    ['a list of others', { 'insecure-registries': [1] }],
    ['a network that is none', { 'insecure-registries': ['10.0.0.0/99'] }],
  ])('%s is refused', (_what, value) => {
    machine(daemon(value), (load) => {
      expect(() => load()).toThrow(/^malformed '[^\n]*\/daemon.json': [^\n]+$/);
      expect(() => load()).not.toThrow(/secret/);
    });
  });
});

test('--tls-verify is for every host, whatever is configured', () => {
  const files = {
    ...conf('[[registry]]\nlocation="a.x"\ninsecure=true\n[[registry.mirror]]\nlocation="m.x"'),
    'etc/docker/daemon.json': '{"insecure-registries": ["b.x"]}',
  };
  machine(files, (load) => {
    const where = (tlsVerify: boolean, name: string): string =>
      told(load({ tlsVerify }).endpoints(split(name), TAG)).join();
    expect(where(true, 'a.x/r')).toBe('mirror!m.x/r+,a.x/r+');
    expect(where(true, 'b.x/r')).toBe('b.x/r+');
    expect(where(false, 'c.x/r')).toBe('c.x/r?');
  });
});

/** What is trusted on this machine, which a test cannot know. */
function tlsOfSystem(load: () => RegistryConfig): object {
  const [endpoint] = load().endpoints(split('other.example/x'), TAG);
  return endpoint?.tls ?? {};
}
