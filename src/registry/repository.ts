// One repository of a registry: what can be read of it, from mirrors too where there are any.

import { isDigest } from '../core/index.js';
import type { Digest } from '../core/index.js';
import type { BlobReader } from '../image/index.js';
import { familiarName } from '../image/index.js';
import { messageOf, VeneerError } from '../core/index.js';
import type { EndpointUse, RegistryConfig } from './access/index.js';
import { RegistryFailure } from './errors.js';
import { single } from './exchange.js';
import { listed } from './pages.js';
import { RemoteBlob } from './remote-blob.js';
import { ACCEPT, readHead, readManifest } from './remote-manifest.js';
import type { RemoteDescriptor, RemoteManifest } from './remote-manifest.js';
import type { RetryPolicy } from './retry.js';
import type { EndpointTransport, Transport } from './transport.js';
import { putManifest, uploadBlob } from './upload.js';
import type { NewManifest, UploadOptions, UploadOutcome, UploadSource } from './upload.js';

export interface RepositoryName {
  /** Host, with its port if there is one. */
  readonly registry: string;
  readonly repository: string;
}

export interface RequestOptions {
  readonly signal?: AbortSignal | undefined;
}

/** All throw `not-found`, `permission`, `integrity`, `limit`, `unavailable`, and the signal's reason. */
export interface Repository {
  readonly name: RepositoryName;
  /** What a tag or a digest stands for; undefined if there is no such thing. */
  head(reference: string, options?: RequestOptions): Promise<RemoteDescriptor | undefined>;
  /** At most 8 MiB. The digest is verified, and the size if it is known. */
  manifest(reference: string, options?: RequestOptions & { readonly size?: number }): Promise<RemoteManifest>;
  /** Asks for nothing before it is read; goes on by itself where a connection is cut. */
  blob(blob: { readonly digest: Digest; readonly size: number }): BlobReader;
  /** Its size; undefined if there is no such blob. */
  hasBlob(digest: Digest, options?: RequestOptions): Promise<number | undefined>;
  /** In the registry's order, as the pages come. */
  tags(options?: RequestOptions): AsyncGenerator<string, void>;
  /** Brings a blob into the repository; goes on by itself where a connection is cut. */
  upload(blob: UploadSource, options?: UploadOptions): Promise<UploadOutcome>;
  /** Stores a manifest, whose blobs must be there, under a tag or its digest; resolves to its digest. */
  putManifest(reference: string, manifest: NewManifest, options?: RequestOptions): Promise<Digest>;
}

export interface RepositoryOptions {
  readonly name: RepositoryName;
  readonly config: RegistryConfig;
  readonly policy: RetryPolicy;
  /** Origins of mirrors that have failed to answer, of all repositories. */
  readonly unwell: Set<string>;
  readonly transport: (endpoint: ReturnType<RegistryConfig['endpoints']>[number], subject: string) => EndpointTransport;
}

interface ReadingUse {
  readonly reference: string;
  readonly signal: AbortSignal | undefined;
  /** Mirrors are not asked. */
  readonly isDirect?: boolean;
}

const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;

export class RemoteRepository implements Repository {
  readonly name: RepositoryName;
  readonly #options: RepositoryOptions;

  constructor(options: RepositoryOptions) {
    this.name = options.name;
    this.#options = options;
  }

  async head(reference: string, { signal }: RequestOptions = {}): Promise<RemoteDescriptor | undefined> {
    const request = { ...manifestRequest(reference, this.#subject(reference)), method: 'HEAD', signal } as const;
    try {
      return await this.#anywhere({ reference, signal }, async (transport) => {
        const reply = await transport.send({ ...request, accept: [200, 405] });
        reply.body.discard();
        const found = reply.status === 200 ? readHead(reply, reference) : undefined;
        // Not every registry answers HEAD as it should.
        if (found !== undefined) return found;
        const { digest, mediaType, size } = await this.#manifestFrom(transport, reference, { signal });
        return { digest, mediaType, size };
      });
    } catch (error) {
      if (error instanceof RegistryFailure && error.status === 404) return undefined;
      throw error;
    }
  }

  manifest(reference: string, options: RequestOptions & { readonly size?: number } = {}): Promise<RemoteManifest> {
    const { signal } = options;
    return this.#anywhere({ reference, signal }, (transport) => this.#manifestFrom(transport, reference, options));
  }

  #manifestFrom(
    transport: Transport,
    reference: string,
    { signal, size }: RequestOptions & { readonly size?: number },
  ): Promise<RemoteManifest> {
    const subject = this.#subject(reference);
    const request = { ...manifestRequest(reference, subject), method: 'GET', accept: [200], signal } as const;
    return transport.take(request, (reply) => readManifest(reply, { subject, reference, size }));
  }

  blob({ digest, size }: { readonly digest: Digest; readonly size: number }): BlobReader {
    const { policy } = this.#options;
    const subject = this.#subject();
    return new RemoteBlob({
      digest,
      size,
      subject,
      registry: this.name.registry,
      policy,
      open: ({ headers, failures, check, signal }) => {
        const request = {
          method: 'GET',
          path: `blobs/${digest}`,
          headers,
          scope: 'pull',
          retry: true,
          signal,
        } as const;
        // A mirror that does not get on gives way, too.
        return this.#anywhere({ reference: digest, signal, isDirect: failures > 0 }, (transport) =>
          transport.take({ ...request, accept: [200, 206, 416], subject: `${subject}: blob ${digest}` }, (reply) =>
            Promise.resolve(check(reply)),
          ),
        );
      },
    });
  }

  async hasBlob(digest: Digest, { signal }: RequestOptions = {}): Promise<number | undefined> {
    const reply = await this.#registry.send({
      method: 'HEAD',
      path: `blobs/${digest}`,
      scope: 'pull',
      accept: [200, 404],
      retry: true,
      signal,
    });
    reply.body.discard();
    const length = single(reply.headers, 'content-length');
    return reply.status === 200 && length !== undefined ? Number(length) : undefined;
  }

  async *tags({ signal }: RequestOptions = {}): AsyncGenerator<string, void> {
    const request = { path: 'tags/list', scope: 'pull', signal } as const;
    // A mirror may have some of them only.
    const transport = this.#transports({}).at(-1) ?? this.#registry;
    const names = listed({ transport, request, field: 'tags', subject: this.#subject() });
    // What is no tag could not be asked for.
    for await (const name of names) if (TAG.test(name)) yield name;
  }

  upload(blob: UploadSource, options: UploadOptions = {}): Promise<UploadOutcome> {
    const { policy } = this.#options;
    const { registry } = this.name;
    return uploadBlob({ transport: this.#registry, policy, subject: this.#subject(), registry }, blob, options);
  }

  putManifest(reference: string, manifest: NewManifest, { signal }: RequestOptions = {}): Promise<Digest> {
    const subject = this.#subject(reference);
    return putManifest({ transport: this.#registry, subject }, reference, { ...manifest, signal });
  }

  /** The registry itself, as it was named: for what is written. */
  get #registry(): EndpointTransport {
    const own = this.#transports({ write: true }).at(-1);
    if (own === undefined) throw new VeneerError('unavailable', `${this.#subject()}: no place is configured for it`);
    return own;
  }

  #transports(use: EndpointUse): EndpointTransport[] {
    const { config, transport } = this.#options;
    return config.endpoints(this.name, use).map((endpoint) => transport(endpoint, this.#subject()));
  }

  /** The first success on mirrors and registry. The registry's failure is told; with --debug the mirrors' as well. */
  async #anywhere<T>(
    { reference, signal, isDirect = false }: ReadingUse,
    act: (transport: EndpointTransport) => Promise<T>,
  ): Promise<T> {
    const { unwell } = this.#options;
    const reasons: string[] = [];
    const transports = this.#transports({ reference });
    const mirrors = isDirect ? [] : transports.slice(0, -1);
    for (const transport of mirrors.filter(({ endpoint }) => !unwell.has(endpoint.origin))) {
      const { origin } = transport.endpoint;
      try {
        return await act(transport);
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof VeneerError)) throw error;
        reasons.push(`mirror ${origin}: ${messageOf(error)}`);
        // It has not answered at all: the next request is not kept waiting for it.
        if (error instanceof RegistryFailure && error.status === undefined && error.code === 'unavailable')
          unwell.add(origin);
      }
    }
    try {
      return await act(transports.at(-1) ?? this.#registry);
    } catch (error) {
      if (reasons.length > 0 && error instanceof RegistryFailure) error.cause ??= new Error(reasons.join('\n'));
      throw error;
    }
  }

  #subject(reference?: string): string {
    const suffix = reference === undefined ? '' : isDigest(reference) ? `@${reference}` : `:${reference}`;
    return familiarName(this.name) + suffix;
  }
}

function manifestRequest(
  reference: string,
  subject: string,
): { path: string; headers: { accept: string }; scope: 'pull'; retry: true; subject: string } {
  const path = `manifests/${encodeURIComponent(reference).replaceAll('%3A', ':')}`;
  return { path, headers: { accept: ACCEPT }, scope: 'pull', retry: true, subject };
}
