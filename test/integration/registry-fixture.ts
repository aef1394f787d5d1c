// Pulling as a user does, from a registry behind a proxy that misbehaves, into stores that are looked into.

import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import { chainIds } from '../../src/image/index.js';
import type { DiffId } from '../../src/image/index.js';
import { Store } from '../../src/store/index.js';
import type { Finding } from '../../src/store/index.js';
import { pullImage } from '../../src/transfer/index.js';
import { startCli } from '../helpers/run-cli.js';
import type { CliResult, RunningCli } from '../helpers/run-cli.js';
import { PASSWORD, sha256, testClient } from '../helpers/registry/index.js';
import type { GeneratedImage } from '../helpers/registry/index.js';
import { requires } from '../helpers/requires.js';
import { tempDir } from '../helpers/tmp.js';

export const needs = requires('build', 'root', 'docker-registry', 'skopeo', 'setpriv');

/** What must not be seen anywhere: the password as it is, and as it goes over the wire. */
const SECRETS = [PASSWORD, Buffer.from(`someone:${PASSWORD}`).toString('base64'), 'eyJ'];

/** What a pull that failed leaves for the next one. */
const isDownload = ({ kind, object }: Finding): boolean =>
  kind === 'blob-extra' || (kind === 'staging-leftover' && object.startsWith('partial.'));

/** The arguments of a pull of team/app:1 that tries once. */
export const pull = (host: string, ...options: string[]): string[] => [
  'pull',
  '-q',
  '--retry',
  '0',
  ...options,
  `${host}/team/app:1`,
];

/** A store and a home of one test, with nothing of this machine's configuration. */
export class PullBox implements Disposable {
  readonly #temp = tempDir('pull');
  readonly root: string;
  readonly env: Readonly<Record<string, string>>;

  constructor(root?: string) {
    this.root = root ?? this.at('store');
    mkdirSync(this.at('home'));
    writeFileSync(this.at('registries.conf'), '');
    this.env = {
      VENEER_ROOT: this.root,
      HOME: this.at('home'),
      XDG_RUNTIME_DIR: this.at('home'),
      DOCKER_CONFIG: this.at('home/.docker'),
      CONTAINERS_REGISTRIES_CONF: this.at('registries.conf'),
      HTTP_PROXY: '',
      HTTPS_PROXY: '',
      http_proxy: '',
      https_proxy: '',
    };
  }

  at(name: string): string {
    return path.join(this.#temp.path, name);
  }

  start(args: readonly string[], env: Readonly<Record<string, string>> = {}, input = ''): RunningCli {
    return startCli(args, { cwd: this.#temp.path, env: { ...this.env, ...env }, input });
  }

  /** Runs `veneer` to its end; no secret may be in what it says. */
  async run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CliResult> {
    const result = await this.start(args, env).ended;
    for (const secret of SECRETS) expect(`${result.stdout}${result.stderr}`).not.toContain(secret);
    return result;
  }

  async ok(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
    const result = await this.run(args, env);
    expect({ ...result, args }).toMatchObject({ code: 0, stderr: '' });
    return result.stdout.trimEnd();
  }

  /** It must fail, with one line and perhaps a hint, which are returned. */
  async fails(
    args: readonly string[],
    { code = 1, env = {} }: { code?: number; env?: Record<string, string> } = {},
  ): Promise<string> {
    const result = await this.run(args, env);
    expect({ ...result, args }).toMatchObject({ code, stdout: '' });
    expect(result.stderr).toMatch(/^veneer: [^\x00-\x1f\x7f-\x9f]{1,700}\n( {2}hint: [^\x00-\x1f\x7f-\x9f]+\n)?$/);
    return result.stderr;
  }

  store(): Store {
    return Store.open(this.root);
  }

  /** Pulls tag 1 in this process, and takes away what was of no use to it. */
  async pullHere(registry: string, repository: string): Promise<void> {
    using store = this.store();
    await using client = testClient();
    await pullImage(store, client, { registry, repository, tag: '1' });
    store.prune();
  }

  /** Nothing is there that a user could see, and of what was begun only downloads, for the next attempt. */
  expectNothing(): void {
    using store = this.store();
    expect(store.images.list()).toEqual([]);
    expect(store.check().filter((finding) => !isDownload(finding))).toEqual([]);
    expect(readdirSync(path.join(this.root, 'layers'))).toEqual([]);
  }

  /** The image is there, whole, and nothing that was begun and not ended. */
  expectImage(image: GeneratedImage): void {
    const { digest } = image.config;
    using store = this.store();
    expect(store.images.list().map(({ id }) => id)).toContain(digest);
    expect(store.images.config(digest).rootfs.diff_ids).toEqual(image.diffIds);
    expect(store.images.manifests(digest).map((manifest) => manifest.digest)).toContain(image.manifest.digest);
    expect(store.check()).toEqual([]);
    expect(readdirSync(path.join(this.root, 'staging'))).toEqual([]);
    for (const [index, chainId] of chainIds(image.diffIds as DiffId[]).entries()) {
      const name = `layers/${String(index)}`;
      const file = path.join(this.root, 'layers', chainId.slice('sha256:'.length), 'diff', name);
      expect([name, sha256(readFileSync(file))]).toEqual([name, sha256(image.files[name]!)]);
    }
  }

  [Symbol.dispose](): void {
    this.#temp.remove();
  }
}
