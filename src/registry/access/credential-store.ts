import { VeneerError } from '../../core/index.js';
import { writeAuthEntry } from './auth-entry.js';
import type { AuthDocument } from './auth-document.js';
import { authFiles, dockerAuthFile } from './auth-files.js';
import type { AuthFile, AuthPlaces } from './auth-files.js';
import { keyFor, namesFor, serversOf } from './auth-keys.js';
import { CredentialHelper, MissingHelper } from './credential-helper.js';
import type { Audience, Credential, CredentialSource } from './types.js';

export interface CredentialStoreOptions extends AuthPlaces {
  /** What the command line gives: before all others, and for no host but the one that was named. */
  readonly fixed?: Credential | undefined;
  /** How long a helper may take, in milliseconds. */
  readonly helperTimeout?: number | undefined;
}

export interface Saved {
  /** A file, or a helper's program. */
  readonly where: string;
  /** Whoever may read the file knows the secret. */
  readonly isPlain: boolean;
}

/** A name to log in to: a registry, or in files a namespace of it. */
export interface LoginName {
  readonly registry: string;
  readonly namespace?: string | undefined;
}

/**
 * The credentials that Docker's and containers' tools keep: those of this program are theirs, and the other way round. A file that cannot
 * be understood throws `invalid`, naming it; secrets are in no message.
 */
export class CredentialStore implements CredentialSource {
  readonly #options: CredentialStoreOptions;
  /** What helpers have answered: each may be a question to a person or to another host. */
  readonly #asked = new Map<string, Promise<Credential | undefined>>();

  constructor(options: CredentialStoreOptions) {
    if (options.authfile === '') throw new VeneerError('usage', '--authfile is empty: name a file');
    this.#options = options;
  }

  /** Throws `unavailable` where a helper fails, `not-found` where the file of `authfile` is missing. */
  async find(audience: Audience): Promise<Credential | undefined> {
    const { fixed, authfile } = this.#options;
    if (fixed !== undefined && audience.isSubstitute !== true) return fixed;
    for (const file of authFiles(this.#options)) {
      const document = file.read();
      if (document === undefined && authfile !== undefined)
        throw new VeneerError('not-found', `--authfile: there is no file '${authfile}'`, {
          hint: `'veneer login --authfile ${authfile}' makes it`,
        });
      const found = document === undefined ? undefined : await this.#findIn(document, file, audience);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Writes it where `find` looks first for this name; by default where `docker login` does. */
  async save({ registry, namespace = '' }: LoginName, credential: Credential): Promise<Saved> {
    const [name = ''] = namesFor(registry, namespace);
    const file = this.#fileFor(name, registry);
    const document = file.read();
    const helper = namespace === '' ? this.#helperFor(document, file, registry) : undefined;
    const key = keyFor(name, file.format === 'docker' ? 'docker' : 'containers');
    this.#asked.clear();
    await helper?.store(key, credential);
    // Beside what a helper keeps stands an empty entry, as Docker writes it: other tools list those.
    const entry = helper === undefined ? writeAuthEntry(credential) : {};
    await file.change((now) => now.with(key, entry));
    return { where: helper?.program ?? file.path, isPlain: helper === undefined };
  }

  /** Forgets it in all files and helpers that are asked for it. Resolves to those that knew it. */
  async erase({ registry, namespace = '' }: LoginName): Promise<string[]> {
    const [name = ''] = namesFor(registry, namespace);
    const where: string[] = [];
    this.#asked.clear();
    for (const file of authFiles(this.#options)) {
      const document = file.read();
      if (document === undefined) continue;
      const helper = namespace === '' ? this.#helperFor(document, file, registry) : undefined;
      if (helper !== undefined && (await eraseFrom(helper, () => serversOf(registry)))) where.push(helper.program);
      if (document.has(name)) where.push(file.path);
      if (document.without([name]) !== undefined) await file.change((now) => now.without([name]));
    }
    return where;
  }

  /** Forgets all there is. Resolves to where there was something. */
  async eraseAll(): Promise<string[]> {
    const where: string[] = [];
    this.#asked.clear();
    for (const file of authFiles(this.#options)) {
      const document = file.read();
      if (document === undefined) continue;
      for (const registry of document.helped()) {
        const helper = this.#helperFor(document, file, registry);
        if (helper !== undefined && (await eraseFrom(helper, () => serversOf(registry)))) where.push(helper.program);
      }
      if (document.commonHelper !== undefined) {
        const helper = this.#helper(document.commonHelper, file);
        if (await eraseFrom(helper, () => helper.list())) where.push(helper.program);
      }
      const names = document.names();
      if (names.length === 0) continue;
      await file.change((now) => now.without(now.names()));
      where.push(file.path);
    }
    return [...new Set(where)];
  }

  async #findIn(
    document: AuthDocument,
    file: AuthFile,
    { registry, repository }: Audience,
  ): Promise<Credential | undefined> {
    const helper = document.helperFor(registry);
    try {
      const kept = helper === undefined ? undefined : await this.#ask(this.#helper(helper.name, file), registry);
      if (kept !== undefined) return kept;
    } catch (error) {
      // What Docker Desktop leaves behind when it is removed names a helper for all registries.
      if (helper?.isOwn === true || !(error instanceof MissingHelper)) throw error;
    }
    return document.find(registry, repository);
  }

  #ask(helper: CredentialHelper, registry: string): Promise<Credential | undefined> {
    const key = `${helper.program} ${registry}`;
    const answer = this.#asked.get(key) ?? askFor(helper, serversOf(registry));
    this.#asked.set(key, answer);
    return answer;
  }

  #helper(name: string, { path: namedIn }: AuthFile): CredentialHelper {
    const { env, helperTimeout: timeout } = this.#options;
    return new CredentialHelper(name, { namedIn, env, timeout });
  }

  #helperFor(document: AuthDocument | undefined, file: AuthFile, registry: string): CredentialHelper | undefined {
    const helper = document?.helperFor(registry);
    return helper === undefined ? undefined : this.#helper(helper.name, file);
  }

  /** The file that has something for the name now, which would hide what another one says. */
  #fileFor(name: string, registry: string): AuthFile {
    const files = authFiles(this.#options);
    const [only] = files;
    if (only !== undefined && files.length === 1) return only;
    const known = files.find((file) => {
      const document = file.format === 'legacy' ? undefined : file.read();
      return document !== undefined && (document.helperFor(registry)?.isOwn === true || document.has(name));
    });
    return known ?? dockerAuthFile(this.#options);
  }
}

async function askFor(helper: CredentialHelper, servers: readonly string[]): Promise<Credential | undefined> {
  for (const server of servers) {
    const credential = await helper.get(server);
    if (credential !== undefined) return credential;
  }
  return undefined;
}

/** Resolves to whether it knew any of them; one that is not installed knows nothing. */
async function eraseFrom(
  helper: CredentialHelper,
  servers: () => Promise<readonly string[]> | readonly string[],
): Promise<boolean> {
  let had = false;
  try {
    for (const server of await servers()) {
      if ((await helper.get(server)) === undefined) continue;
      await helper.erase(server);
      had = true;
    }
  } catch (error) {
    if (!(error instanceof MissingHelper)) throw error;
  }
  return had;
}
