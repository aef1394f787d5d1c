import { chmodSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { CredentialHelper, MissingHelper } from '../../../../src/registry/access/credential-helper.js';
import { Secret } from '../../../../src/registry/index.js';
import { tempDir } from '../../../helpers/tmp.js';
import { makeHelper } from '../../../helpers/registry/helper-program.js';
import { shownCredential } from './shown-credential.js';

const amy = { kind: 'basic', username: 'amy', password: new Secret('hunter2') } as const;

/** A helper that does this; its directory is on the PATH. */
async function withHelper<T>(
  body: string | undefined,
  act: (helper: CredentialHelper, program: ReturnType<typeof makeHelper>) => Promise<T>,
  timeout?: number,
): Promise<T> {
  using temp = tempDir('helper');
  const program = makeHelper(temp.path, 'x', body);
  const env = { PATH: `${program.dir}:${process.env['PATH'] ?? ''}` };
  return await act(new CredentialHelper('x', { namedIn: 'config.json', env, timeout }), program);
}

/** The message of what it throws, which has one line and no secret. */
async function messageOf(act: Promise<unknown>): Promise<string> {
  const error = await act.then(() => undefined, (thrown: unknown) => thrown as Error); // prettier-ignore
  expect(error).toMatchObject({ code: 'unavailable' });
  expect(`${error?.stack ?? ''}${String(error?.cause)}`).not.toContain('hunter2');
  return error?.message ?? '';
}

describe('a credential helper', () => {
  test('keeps, gives back, lists and forgets', async () => {
    await withHelper(undefined, async (helper, program) => {
      expect(await helper.get('reg.x:5000')).toBeUndefined();
      await helper.store('reg.x:5000', amy);
      await helper.store('https://index.docker.io/v1/', {
        kind: 'identity-token',
        token: new Secret('t'),
        username: 'bob',
      });
      expect(program.kept('reg.x:5000')).toEqual({ ServerURL: 'reg.x:5000', Username: 'amy', Secret: 'hunter2' });
      expect(shownCredential(await helper.get('reg.x:5000'))).toBe('amy:hunter2');
      expect(shownCredential(await helper.get('https://index.docker.io/v1/'))).toBe('token t');
      expect((await helper.list()).sort()).toEqual(['https://index.docker.io/v1/', 'reg.x:5000']);
      await helper.erase('reg.x:5000');
      expect(await helper.list()).toEqual(['https://index.docker.io/v1/']);
      // The only argument is the verb.
      expect(new Set(program.calls())).toEqual(new Set(['get', 'store', 'list', 'erase']));
    });
  });

  test.each([
    ['in its own words', 'echo "keychain is locked"; exit 1', "'docker-credential-x get' failed: keychain is locked"],
    ['on stderr', 'echo "no gpg" >&2; exit 2', "'docker-credential-x get' failed: no gpg"],
    ['in many lines', 'printf "a\\nb\\033[31mc"; exit 1', "'docker-credential-x get' failed: a b\\x1b[31mc"],
    ['without a word', 'exit 3', "'docker-credential-x get' failed: exit code 3"],
    [
      'after telling the secret',
      `echo '{"Secret":"hunter2"}'; exit 1`,
      "'docker-credential-x get' failed: exit code 1",
    ],
    ['by a signal', 'kill -9 $$', "'docker-credential-x get' failed: it was killed"],
  ])('fails %s', async (_what, body, message) => {
    await withHelper(body, async (helper) => {
      expect(await messageOf(helper.get('reg.x'))).toBe(message);
    });
  });

  test('that repeats what it was given to keep is not repeated', async () => {
    await withHelper('echo "cannot store:"; sed "s/[{}]//g"; exit 1', async (helper) => {
      expect(await messageOf(helper.store('reg.x', amy))).toBe("'docker-credential-x store' failed: exit code 1");
    });
  });

  test('is not waited for without end, nor read without end', async () => {
    await withHelper('sleep 5; true', async (helper) => {
      expect(await messageOf(helper.get('reg.x'))).toBe("'docker-credential-x get' gave no answer in 0.2 s");
    }, 200); // prettier-ignore
    await withHelper('yes hunter2; true', async (helper) => {
      expect(await messageOf(helper.get('reg.x'))).toBe("'docker-credential-x get' failed: it was killed");
    });
  });

  test('need not read its input', async () => {
    await withHelper('exec <&-; echo "{}"', async (helper) => {
      expect(await helper.get('x'.repeat(1 << 20))).toBeUndefined();
    });
  });

  test.each([
    ['no JSON', 'echo hunter2', "malformed 'docker-credential-x': not JSON"],
    ['a list', 'echo []', "malformed 'docker-credential-x': it is not a JSON object"],
    [
      'another type',
      `echo '{"Username":"amy","Secret":["hunter2"]}'`,
      "malformed answer of 'docker-credential-x': 'Secret' is not a string",
    ],
  ])('that answers with %s is named', async (_what, body, message) => {
    await withHelper(body, async (helper) => {
      await expect(helper.get('reg.x')).rejects.toThrow(expect.objectContaining({ code: 'invalid', message }) as Error);
    });
  });

  test('that is not there, or no program, is named with who asks for it', async () => {
    await withHelper(undefined, async (helper, program) => {
      chmodSync(path.join(program.dir, 'docker-credential-x'), 0o644);
      expect(await messageOf(helper.get('reg.x'))).toMatch(
        /^'docker-credential-x' cannot be run, which 'config.json' asks/,
      );
    });
    const none = new CredentialHelper('none', { namedIn: 'config.json', env: {} });
    await expect(none.get('reg.x')).rejects.toThrow(MissingHelper);
    expect(await messageOf(none.get('reg.x'))).toBe(
      "'docker-credential-none' is not installed, which 'config.json' asks for credentials",
    );
  });

  test.each(['../../bin/sh', '', 'a b', '-x', 'a/b', 'x\0'])('cannot be called %j', (name) => {
    expect(() => new CredentialHelper(name, { namedIn: 'config.json', env: {} })).toThrow(/^malformed 'config.json': /);
  });
});
