// What registries have, without pulling it.

import { homedir } from 'node:os';
import { parseReference, tagOrDigest } from '../image/index.js';
import type { Platform } from '../image/index.js';
import type { Credential, RegistryClient, RegistryClientOptions } from '../registry/index.js';
import { readRemoteImage } from '../transfer/index.js';
import type { RemoteImage } from '../transfer/index.js';

export interface RegistriesOptions {
  /** Whether certificates are verified, of every registry. By default all but those of loopback addresses, and what the user's registries.conf says. */
  readonly tlsVerify?: boolean;
  /** A directory with `*.crt` of authorities to trust, `*.cert` and `*.key` to show. */
  readonly certDir?: string;
  /** The file with credentials, in the place of the user's. */
  readonly authfile?: string;
  /** Who to be in every registry, whatever the files say. */
  readonly credentials?: { readonly username: string; readonly password: string };
  /** How often a request is made in all (5), and the milliseconds before the second time (1000), doubled each time. */
  readonly retry?: RegistryClientOptions['retry'];
  /** In milliseconds: of a connection, of an answer, and between the bytes of one. */
  readonly timeouts?: RegistryClientOptions['timeouts'];
  /** Is told what is waited for before a request is made again. */
  readonly onWait?: RegistryClientOptions['onWait'];
}

export interface RegistryDocument {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
  readonly digest: string;
}

export interface RemoteOptions {
  readonly signal?: AbortSignal;
}

export interface InspectRemoteOptions extends RemoteOptions {
  /** What it must run on; without one what fits this machine best, or what there is. */
  readonly platform?: Platform;
}

/** Connections to registries, as the user's configuration has them. Close it when done. */
export class Registries implements AsyncDisposable {
  readonly #options: RegistriesOptions;
  #client: Promise<RegistryClient> | undefined;

  constructor(options: RegistriesOptions = {}) {
    this.#options = options;
  }

  /** The tags of `[REGISTRY/]REPOSITORY`, as the registry sorts them, page by page. Throws `not-found`, `permission`, `unavailable`. */
  async *tags(name: string, options: RemoteOptions = {}): AsyncGenerator<string, void> {
    const client = await this.client();
    yield* client.repository(parseReference(name)).tags(options);
  }

  /** The manifest of NAME[:TAG|@DIGEST], or the index where there are several, byte for byte. Throws as `tags`, and `integrity`. */
  async manifest(name: string, options: RemoteOptions = {}): Promise<RegistryDocument> {
    const reference = parseReference(name);
    const repository = (await this.client()).repository(reference);
    const { bytes, mediaType, digest } = await repository.manifest(tagOrDigest(reference), options);
    return { bytes, mediaType, digest };
  }

  /** An image from its manifest and its configuration alone. Throws as `manifest`, and `unsupported` for what is no image. */
  async inspect(name: string, options: InspectRemoteOptions = {}): Promise<RemoteImage> {
    return readRemoteImage(await this.client(), parseReference(name), options);
  }

  /** For the other operations of the library. */
  async client(): Promise<RegistryClient> {
    this.#client ??= connect(this.#options);
    return this.#client;
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await (await client)?.[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

export interface RegistryUse {
  /** Connections to use; without them, some are made for this operation, as the user has configured them. */
  readonly registries?: Registries;
}

/** Runs `act` with the client of the given registries, or with one of its own. */
export async function withClient<Result>(
  registries: Registries | undefined,
  act: (client: RegistryClient) => Promise<Result>,
): Promise<Result> {
  if (registries !== undefined) return act(await registries.client());
  await using own = new Registries();
  return await act(await own.client());
}

/** Looked for when it is first needed: who uses the store alone loads no HTTP client. */
async function connect(options: RegistriesOptions): Promise<RegistryClient> {
  const { CredentialStore, loadRegistryConfig, RegistryClient, Secret } = await import('../registry/index.js');
  const { tlsVerify, certDir, authfile, credentials, retry, timeouts, onWait } = options;
  const user = { env: process.env, home: homedir() };
  const fixed: Credential | undefined =
    credentials === undefined
      ? undefined
      : { kind: 'basic', username: credentials.username, password: new Secret(credentials.password) };
  return new RegistryClient({
    config: loadRegistryConfig({
      ...user,
      ...(tlsVerify === undefined ? {} : { tlsVerify }),
      ...(certDir === undefined ? {} : { certDir }),
    }),
    credentials: new CredentialStore({
      ...user,
      ...(authfile === undefined ? {} : { authfile }),
      ...(fixed === undefined ? {} : { fixed }),
    }),
    ...(retry === undefined ? {} : { retry }),
    ...(timeouts === undefined ? {} : { timeouts }),
    ...(onWait === undefined ? {} : { onWait }),
  });
}

/** Registries, by the files that Docker and Podman read, and by these options. Nothing is connected before it is needed. */
export function openRegistries(options: RegistriesOptions = {}): Registries {
  return new Registries(options);
}
