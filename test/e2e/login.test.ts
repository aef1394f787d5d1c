// Logging in and out: with the built program, at real registries, on real terminals.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startForwardProxy, startRegistry } from '../helpers/registry/index.js';
import type { TestRegistry } from '../helpers/registry/index.js';
import { makeHelper } from '../helpers/registry/helper-program.js';
import { requires, runProgram } from '../helpers/requires.js';
import { CLI, runCli, startCli } from '../helpers/run-cli.js';
import type { CliResult } from '../helpers/run-cli.js';
import { typeTo } from '../helpers/terminal.js';
import { tempDir } from '../helpers/tmp.js';

const gate = requires('build', 'docker-registry', 'setpriv', 'openssl');
const typing = requires('build', 'docker-registry', 'setpriv', 'python3');
const peers = requires('build', 'docker-registry', 'setpriv', 'podman', 'skopeo');

const CONFIG = 'home/.docker/config.json';
const SUCCEEDED = 'Login Succeeded\n';

let registry: TestRegistry | undefined;
let host = '';
let user = '';
let password = '';

beforeAll(async () => {
  if (gate.skip) return;
  registry = await startRegistry({ auth: 'htpasswd' });
  ({ host, user, password } = registry);
});
afterAll(async () => registry?.[Symbol.asyncDispose]());

interface Home extends Disposable {
  readonly env: Readonly<Record<string, string>>;
  at(name: string): string;
  read(name: string): unknown;
  run(args: readonly string[], input?: string): CliResult;
  /** Logs in with a password on standard input. */
  login(...args: string[]): CliResult;
}

/** A user who has not logged in anywhere. */
function newHome(): Home {
  const temp = tempDir('login');
  const at = (name: string): string => path.join(temp.path, name);
  for (const name of ['home', 'run']) mkdirSync(at(name), { mode: 0o700 });
  const none = { DOCKER_CONFIG: '', XDG_CONFIG_HOME: '', REGISTRY_AUTH_FILE: '' };
  const env = {
    ...none,
    HOME: at('home'),
    XDG_RUNTIME_DIR: at('run'),
    PATH: `${at('bin')}:${process.env['PATH'] ?? ''}`,
  };
  const run: Home['run'] = (args, input = '') => runCli(args, { env, input });
  return {
    env,
    at,
    read: (name) => JSON.parse(readFileSync(at(name), 'utf8')) as unknown,
    run,
    login: (...args) => run(['login', '-u', user, '--password-stdin', ...args, host], `${password}\n`),
    [Symbol.dispose]: () => temp.remove(),
  };
}

const entry = (): string => Buffer.from(`${user}:${password}`).toString('base64');

/** Nothing that was written tells the password, as it is or in base64. */
function tellsNothing({ stdout, stderr }: CliResult): void {
  for (const secret of [password, entry()]) expect(stdout + stderr).not.toContain(secret);
}

describe.skipIf(gate.skip)(gate.title('veneer login'), () => {
  test('keeps what the registry takes, and logout forgets it', () => {
    using home = newHome();
    const catalog = ['search', `${host}/`];
    expect(home.run(catalog)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`veneer login ${host}`) as unknown,
    });
    const result = home.login();
    expect(result).toMatchObject({ code: 0, stdout: SUCCEEDED });
    expect(result.stderr).toMatch(
      /^warning: the credentials are kept unencrypted in '.*\/.docker\/config.json'\n {2}hint: [^\n]+\n$/,
    );
    tellsNothing(result);
    expect(home.read(CONFIG)).toEqual({ auths: { [host]: { auth: entry() } } });
    expect(statSync(home.at(CONFIG)).mode & 0o777).toBe(0o600);
    expect(home.run(['login', '--get-login', host])).toEqual({ code: 0, stdout: `${user}\n`, stderr: '' });
    expect(home.run(catalog)).toMatchObject({ code: 0, stderr: '' });
    expect(home.run(['logout', host])).toEqual({
      code: 0,
      stdout: `Removed login credentials for ${host}\n`,
      stderr: '',
    });
    expect(home.read(CONFIG)).toEqual({ auths: {} });
    expect(home.run(['logout', host])).toEqual({ code: 0, stdout: `Not logged in to ${host}\n`, stderr: '' });
    expect(home.run(['logout', '--all'])).toMatchObject({ code: 0, stdout: 'Not logged in to any registry\n' });
    expect(home.run(['login', '--get-login', host])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('not logged in') as unknown,
    });
    expect(home.run(catalog).code).toBe(1);
  });

  test('keeps nothing that the registry does not take', () => {
    using home = newHome();
    for (const debug of [[], ['--debug']]) {
      const result = home.run(['login', ...debug, '-u', user, '--password-stdin', host], 'wrong-password');
      expect(result).toMatchObject({ code: 1, stdout: '' });
      if (debug.length === 0) expect(result.stderr).toMatch(/^veneer: [^\n]+\n( {2}hint: [^\n]+\n)?$/);
      expect(result.stderr).toContain(`${host} does not take this user name and password`);
      expect(result.stderr).not.toContain('wrong-password');
      expect(result.stderr).not.toContain(Buffer.from(`${user}:wrong-password`).toString('base64'));
    }
    expect(existsSync(home.at('home/.docker'))).toBe(false);
  });

  test('says that there is no registry', () => {
    using home = newHome();
    const result = home.run(['login', '-u', user, '--password-stdin', '127.0.0.1:1'], password);
    expect(result).toMatchObject({ code: 1, stdout: '' });
    expect(result.stderr).toMatch(/^veneer: 127\.0\.0\.1:1: [^\n]+\n/);
    tellsNothing(result);
  });

  test('takes a password as an option, and warns', () => {
    using home = newHome();
    const { code, stderr } = home.run(['login', '-u', user, '-p', password, host]);
    expect(code).toBe(0);
    expect(stderr).toContain('warning: --password shows the password to others on this machine\n');
  });

  test('tries what is kept first, and does not hide that it is no longer good', () => {
    using home = newHome();
    home.login();
    const again = home.run(['login', host]);
    expect(again).toEqual({
      code: 0,
      stdout: SUCCEEDED,
      stderr: `Authenticating with existing credentials of ${user}...\n`,
    });
    writeFileSync(home.at(CONFIG), JSON.stringify({ auths: { [host]: { auth: 'YTpi' } } }));
    const stale = spawnSync('setsid', ['-w', process.execPath, CLI, 'login', host], {
      encoding: 'utf8',
      env: { ...process.env, ...home.env },
    });
    expect(stale).toMatchObject({ status: 1, stdout: '' });
    expect(stale.stderr).toMatch(
      /^Authenticating with existing credentials of a...\nveneer: [^\n]+ does not take [^\n]+\n/,
    );
  });

  test('without a terminal needs both options', () => {
    using home = newHome();
    for (const args of [[], ['-u', user]]) {
      const { status, stdout, stderr } = spawnSync('setsid', ['-w', process.execPath, CLI, 'login', ...args, host], {
        encoding: 'utf8',
        input: password,
        env: { ...process.env, ...home.env },
      });
      expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
      expect(stderr).toMatch(/^veneer: there is no terminal to ask on\n {2}hint: [^\n]*--password-stdin\n$/);
    }
  });

  test('writes the file that is named', () => {
    using home = newHome();
    expect(home.login('--authfile', home.at('my/auth.json')).code).toBe(0);
    expect(home.read('my/auth.json')).toEqual({ auths: { [host]: { auth: entry() } } });
    expect(existsSync(home.at('home/.docker'))).toBe(false);
    expect(home.run(['login', '--get-login', '--authfile', home.at('my/auth.json'), host]).stdout).toBe(`${user}\n`);
    expect(home.run(['search', '--authfile', home.at('my/auth.json'), `${host}/`]).code).toBe(0);
    expect(home.run(['logout', '--authfile', home.at('my/auth.json'), host]).stdout).toMatch(/^Removed/);
  });

  test('leaves the password to a helper', () => {
    using home = newHome();
    const helper = makeHelper(home.at('.'), 'keeper');
    mkdirSync(home.at('home/.docker'));
    writeFileSync(home.at(CONFIG), '{"credsStore": "keeper", "psFormat": "x"}');
    const result = home.login();
    expect(result).toEqual({ code: 0, stdout: SUCCEEDED, stderr: '' });
    expect(helper.kept(host)).toEqual({ ServerURL: host, Username: user, Secret: password });
    expect(home.read(CONFIG)).toEqual({ auths: { [host]: {} }, credsStore: 'keeper', psFormat: 'x' });
    expect(home.run(['search', `${host}/`])).toMatchObject({ code: 0, stderr: '' });
    expect(home.run(['logout', host]).stdout).toMatch(/^Removed/);
    expect(helper.kept(host)).toBeUndefined();
    expect(new Set(helper.calls())).toEqual(new Set(['store', 'get', 'erase']));
  });

  test('several at once lose nothing', async () => {
    using home = newHome();
    const names = ['a', 'b', 'c', 'd'].map((namespace) => `${host}/${namespace}`);
    const args = (name: string): string[] => ['login', '-u', user, '--password-stdin', name];
    const results = await Promise.all(
      names.map((name) => startCli(args(name), { env: home.env, input: password }).ended),
    );
    expect(results.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    expect(Object.keys((home.read(CONFIG) as { auths: object }).auths).toSorted()).toEqual(names);
    expect(home.run(['logout', '--all']).stdout).toBe('Removed login credentials for all registries\n');
  });

  test('names a file that it cannot understand, and leaves it as it is', () => {
    using home = newHome();
    mkdirSync(home.at('home/.docker'));
    writeFileSync(home.at(CONFIG), `{"auths": {"${host}": {"auth": "c2VjcmV0"}`);
    const result = home.login('--debug');
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/^veneer: malformed '.*\/config.json': not JSON\n/);
    expect(result.stderr).not.toContain('c2VjcmV0');
    expect(readFileSync(home.at(CONFIG), 'utf8')).toContain('c2VjcmV0');
  });
});

describe.skipIf(gate.skip)(gate.title('veneer login with tokens and TLS'), () => {
  test('keeps the identity token that the token server gives, not the password', async () => {
    await using guarded = await startRegistry({ auth: 'token', tls: true });
    using home = newHome();
    const certs = ['--cert-dir', guarded.certsDir()];
    const start = (...args: string[]): Promise<CliResult> =>
      startCli(args, { env: home.env, input: guarded.password }).ended;
    const login = ['login', '-u', guarded.user, '--password-stdin'];
    const refused = await start(...login, '--tls-verify', guarded.host);
    expect(refused).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/certificate/) as unknown });
    expect(await start(...login, ...certs, '--tls-verify', guarded.host)).toMatchObject({ code: 0, stdout: SUCCEEDED });
    expect(home.read(CONFIG)).toEqual({
      auths: {
        [guarded.host]: {
          auth: Buffer.from(`${guarded.user}:`).toString('base64'),
          identitytoken: `identity of ${guarded.user}`,
        },
      },
    });
    expect(await start('login', '--get-login', guarded.host)).toMatchObject({ stdout: `${guarded.user}\n` });
    expect(await start('login', ...certs, guarded.host)).toMatchObject({ code: 0, stdout: SUCCEEDED });
    expect(await start('tags', ...certs, `${guarded.host}/team/none`)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/name unknown|not known/i) as unknown,
    });
    guarded.tokens?.refreshTokens.clear();
    const stale = await start('tags', ...certs, `${guarded.host}/team/none`);
    expect(stale).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`veneer login ${guarded.host}`) as unknown,
    });
    expect(stale.stderr).not.toContain('identity of');
  });

  test('knows Docker Hub by all its names', async () => {
    await using hub = await startRegistry({ auth: 'htpasswd', tls: true });
    await using proxy = await startForwardProxy({ port: Number(hub.host.split(':')[1]) });
    using home = newHome();
    const conf = home.at('registries.conf');
    writeFileSync(conf, '');
    mkdirSync(home.at('certs/docker.io'), { recursive: true });
    writeFileSync(home.at('certs/docker.io/ca.crt'), readFileSync(hub.ca ?? ''));
    const env = { ...home.env, CONTAINERS_REGISTRIES_CONF: conf, HTTPS_PROXY: proxy.url };
    const options = ['--cert-dir', home.at('certs')];
    const login = ['login', '-u', hub.user, '--password-stdin', ...options];
    expect(await startCli(login, { env, input: hub.password }).ended).toMatchObject({ code: 0, stdout: SUCCEEDED });
    expect(new Set(proxy.requests.map(({ line }) => line))).toEqual(new Set(['CONNECT registry-1.docker.io:443']));
    expect(home.read(CONFIG)).toMatchObject({ auths: { 'https://index.docker.io/v1/': {} } });
    for (const name of [[], ['docker.io'], ['https://index.docker.io/v1/'], ['registry-1.docker.io']]) {
      expect(runCli(['login', '--get-login', ...name], { env }).stdout).toBe(`${hub.user}\n`);
    }
    expect(runCli(['logout'], { env }).stdout).toBe('Removed login credentials for docker.io\n');
    expect(home.read(CONFIG)).toEqual({ auths: {} });
  });
});

describe.skipIf(typing.skip)(typing.title('veneer login on a terminal'), () => {
  test('asks for both, and shows no password', () => {
    using home = newHome();
    const steps = [
      { wait: 'Username: ', type: `${user}x\x7f\r` },
      { wait: 'Password: ', type: `${password}\r` },
    ];
    for (const stdin of ['terminal', 'null'] as const) {
      const { output, code, echo } = typeTo(['login', host], steps, { env: home.env, stdin });
      expect({ code, echo }).toEqual({ code: 0, echo: true });
      expect(output).toContain(`Username: ${user}x\b \b\r\nPassword: \r\n`);
      expect(output).toContain('Login Succeeded');
      expect(output).not.toContain(password);
      expect(home.run(['logout', host]).stdout).toMatch(/^Removed/);
    }
  });

  test('asks again for what is no longer good', () => {
    using home = newHome();
    mkdirSync(home.at('home/.docker'));
    const old = Buffer.from(`${user}:old`).toString('base64');
    writeFileSync(home.at(CONFIG), JSON.stringify({ auths: { [host]: { auth: old } } }));
    const steps = [
      { wait: `Username (${user}): `, type: '\r' },
      { wait: 'Password: ', type: `${password}\r` },
    ];
    const { output, code } = typeTo(['login', host], steps, { env: home.env });
    expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining('does not take') as unknown });
    expect(home.read(CONFIG)).toEqual({ auths: { [host]: { auth: entry() } } });
  });

  test.each([
    ['^C', { type: 'secret\x03' }, 130, 'interrupted by SIGINT'],
    ['SIGTERM', { signal: 15 }, 143, 'interrupted by SIGTERM'],
    ['SIGHUP', { signal: 1 }, 129, 'interrupted by SIGHUP'],
    ['^D', { type: '\x04' }, 2, 'nothing was typed'],
    ['an empty line', { type: '\r' }, 2, 'the password is empty'],
  ] as const)('%s ends it, with the terminal as it was', (_what, step, code, words) => {
    using home = newHome();
    const steps = [{ wait: 'Password: ', ...step }];
    const result = typeTo(['login', '-u', user, host], steps, { env: home.env });
    expect(result).toMatchObject({ code, echo: true });
    expect(result.output).toMatch(new RegExp(`^Password: \\r\\n+veneer: [^\\n]*${words}`));
    expect(result.output).not.toContain('secret');
    expect(existsSync(home.at('home/.docker'))).toBe(false);
  });
});

describe.skipIf(peers.skip)(peers.title('logins are those of podman and skopeo'), () => {
  /** Runs one of them as this user. */
  function peer(home: Home, program: string, ...args: string[]): string {
    return runProgram('env', [
      ...Object.entries(home.env).map(([name, value]) => `${name}=${value}`),
      program,
      ...args,
    ]);
  }

  test('they read what veneer writes', () => {
    using home = newHome();
    home.login();
    expect(peer(home, 'podman', 'login', '--get-login', host).trim()).toBe(user);
    expect(peer(home, 'skopeo', 'login', '--get-login', host).trim()).toBe(user);
    expect(() => peer(home, 'skopeo', 'list-tags', '--tls-verify=false', `docker://${host}/none`)).toThrow(/404/);
    expect(home.login('--authfile', home.at('auth.json')).code).toBe(0);
    expect(peer(home, 'skopeo', 'login', '--authfile', home.at('auth.json'), '--get-login', host).trim()).toBe(user);
  });

  test.each(['podman', 'skopeo'])('veneer reads what %s writes', (program) => {
    using home = newHome();
    peer(home, program, 'login', '--tls-verify=false', '-u', user, '-p', password, host);
    expect(existsSync(home.at('run/containers/auth.json'))).toBe(true);
    expect(home.run(['login', '--get-login', host]).stdout).toBe(`${user}\n`);
    expect(home.run(['search', `${host}/`])).toMatchObject({ code: 0, stderr: '' });
    // What it writes itself goes where it is found first, and stays theirs.
    expect(home.login()).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('run/containers/auth.json') as unknown,
    });
    expect(existsSync(home.at('home/.docker'))).toBe(false);
    peer(home, program, 'logout', host);
    expect(home.run(['login', '--get-login', host]).code).toBe(1);
    peer(home, program, 'login', '--tls-verify=false', '-u', user, '-p', password, host);
    expect(home.run(['logout', host]).stdout).toMatch(/^Removed/);
    expect(() => peer(home, program, 'login', '--get-login', host)).toThrow(/not logged into/i);
  });
});
