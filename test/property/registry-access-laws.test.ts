// Laws of the files that say who one is and where registries are: whatever stands in them, the answer is a credential, an endpoint,
// or one line that names the file and tells no secret; and a change keeps all that it is not about.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VeneerError } from '../../src/core/index.js';
import { CredentialStore, loadRegistryConfig, Secret } from '../../src/registry/access/index.js';
import { tempDir } from '../helpers/tmp.js';

const RUNS = Number(process.env['VENEER_PROPERTY_RUNS'] ?? 40) * 5;

/** Stands where secrets stand; must not be told. */
const SECRET = 'hunter2';

const host = fc.constantFrom(
  'a.x',
  'b.x:5000',
  'docker.io',
  'https://index.docker.io/v1/',
  'a.x/team',
  '__proto__',
  '',
);
const leaf = fc.constantFrom<unknown>(
  SECRET,
  '',
  null,
  7,
  true,
  [],
  {},
  Buffer.from(`amy:${SECRET}`).toString('base64'),
);
const entry = fc.oneof(
  leaf,
  fc.dictionary(fc.constantFrom('auth', 'identitytoken', 'username', 'password', 'email'), leaf),
);
const entries = fc.oneof({ weight: 5, arbitrary: fc.dictionary(host, entry) }, { weight: 1, arbitrary: leaf });
const config = fc.record(
  { auths: entries, credHelpers: fc.constantFrom<unknown>({}, null, [], { 'a.x': 7 }), others: fc.jsonValue() },
  { requiredKeys: [] },
);

/** One line, with the file's name and without the secret in any form. */
function wellTold(error: unknown, file: string): void {
  expect(error).toBeInstanceOf(VeneerError);
  const { message, code, cause } = error as VeneerError;
  expect(message).toContain(file);
  expect(message).not.toContain('\n');
  expect(`${message}${String(cause)}`).not.toContain(SECRET);
  expect(['invalid', 'unsupported']).toContain(code);
}

describe('files with credentials', () => {
  it('answer or are named', async () => {
    using temp = tempDir('laws');
    const file = path.join(temp.path, 'config.json');
    const store = new CredentialStore({ env: {}, home: temp.path, authfile: file });
    const text = fc.oneof(
      config.map((value) => JSON.stringify(value)),
      fc.string().map((noise) => `{"a":${SECRET}${noise}`),
    );
    await fc.assert(
      fc.asyncProperty(text, fc.constantFrom('a.x', 'b.x:5000', 'docker.io'), async (content, registry) => {
        writeFileSync(file, content);
        try {
          const found = await store.find({ registry, repository: 'team/app' });
          // The name of a user is no secret, though it may be the same word.
          expect(JSON.stringify({ ...found, username: '' })).not.toContain(SECRET);
        } catch (error) {
          wellTold(error, file);
        }
      }),
      { numRuns: RUNS },
    );
  });

  it('give back what was saved, and keep the rest', async () => {
    using temp = tempDir('laws');
    const file = path.join(temp.path, 'auth.json');
    const store = new CredentialStore({ env: {}, home: temp.path, authfile: file });
    const name = fc.constantFrom('a.x', 'b.x:5000', 'docker.io', 'c.x');
    const sound = fc.record({
      auths: fc.dictionary(host, fc.constantFrom({}, { auth: 'YTpi' })),
      others: fc.jsonValue(),
    });
    const word = fc.string({ minLength: 1 }).filter((it) => !it.includes(':') && !it.includes('\0'));
    const password = fc.string({ minLength: 1 }).filter((it) => !it.includes('\0'));
    await fc.assert(
      fc.asyncProperty(sound, name, word, password, async (before, registry, username, secret) => {
        writeFileSync(file, JSON.stringify(before));
        await store.save({ registry }, { kind: 'basic', username, password: new Secret(secret) });
        const found = await store.find({ registry });
        expect(found?.kind === 'basic' ? [found.username, found.password.reveal()] : found).toEqual([username, secret]);
        const after = JSON.parse(readFileSync(file, 'utf8')) as { auths: object; others: unknown };
        expect(JSON.stringify(after.others)).toBe(JSON.stringify(before.others));
        await store.erase({ registry });
        expect(await store.find({ registry })).toBeUndefined();
        const left = Object.keys((JSON.parse(readFileSync(file, 'utf8')) as { auths: object }).auths);
        const isOther = (key: string): boolean =>
          key !== registry && !(registry === 'docker.io' && key === 'https://index.docker.io/v1/');
        expect(left.toSorted()).toEqual(Object.keys(before.auths).filter(isOther).toSorted());
      }),
      { numRuns: RUNS / 4 },
    );
  });
});

describe('files about registries', () => {
  const value = fc.constantFrom(
    'true',
    'false',
    '"a.x"',
    '"*.x"',
    '"a.x/team"',
    '"https://a.x"',
    '7',
    '[]',
    '"a.x/../b"',
    '"é"',
  );
  const key = fc.constantFrom(
    'prefix',
    'location',
    'insecure',
    'blocked',
    'mirror-by-digest-only',
    'pull-from-mirror',
    'mirror',
  );
  const line = fc.oneof(
    fc.constantFrom('[[registry]]', '[[registry.mirror]]', '[registries.search]', '[aliases]', '# x'),
    fc.tuple(key, value).map(([name, it]) => `${name} = ${it}`),
    fc.string({ maxLength: 12 }),
  );

  it('answer or are named', () => {
    using temp = tempDir('laws');
    const [home, etc] = [path.join(temp.path, 'home'), path.join(temp.path, 'etc')];
    mkdirSync(path.join(etc, 'containers'), { recursive: true });
    const file = path.join(etc, 'containers/registries.conf');
    fc.assert(
      fc.property(fc.array(line, { maxLength: 8 }), (lines) => {
        writeFileSync(file, lines.join('\n'));
        try {
          const endpoints = loadRegistryConfig({ env: {}, home, etc }).endpoints(
            { registry: 'a.x', repository: 'team/app' },
            {},
          );
          expect(endpoints.at(-1)?.isMirror).toBe(false);
          for (const { origin, repository } of endpoints)
            expect(`${origin}/${repository}`).toMatch(/^[\w.:-]+(\/[\w.-]+)+$/);
        } catch (error) {
          if (error instanceof VeneerError && error.code === 'permission') return;
          wellTold(error, file);
        }
      }),
      { numRuns: RUNS },
    );
  });
});
