// A registry in memory: what the client makes of one, without a network.

import type { Digest } from '../../../src/core/index.js';
import type { BlobReader, ByteRange } from '../../../src/image/index.js';
import type { RegistryClient, Repository } from '../../../src/registry/index.js';
import { VeneerError } from '../../../src/core/index.js';
import type { GeneratedBlob, ImageContent } from '../../helpers/registry/index.js';

export interface FakeRegistry {
  readonly client: RegistryClient;
  /** `head latest`, `manifest sha256:…`, `blob sha256:… OFFSET`. */
  readonly asked: string[];
  /** Taken instead of the blob's own bytes. */
  send: (digest: Digest, from: number, signal: AbortSignal | undefined) => AsyncIterable<Uint8Array> | undefined;
}

/** As a registry's client hands bytes out. */
export async function* inPieces(bytes: Uint8Array, size = 16 << 10): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < bytes.length; at += size) {
    await new Promise((resolve) => setImmediate(resolve));
    yield bytes.slice(at, at + size);
  }
}

/** A repository of any name, with the images of `content`. */
export function fakeRegistry(...contents: ImageContent[]): FakeRegistry {
  const asked: string[] = [];
  const manifests = new Map<string, GeneratedBlob>();
  const blobs = new Map<string, Uint8Array>();
  for (const { images, blobs: others = [], tags } of contents) {
    const all = [...others, ...images.map(({ manifest }) => manifest)];
    for (const blob of all) manifests.set(blob.digest, blob);
    for (const [tag, blob] of Object.entries(tags)) manifests.set(tag, blob);
    for (const blob of images.flatMap(({ config, layers }) => [config, ...layers])) blobs.set(blob.digest, blob.bytes);
  }
  const describe = ({ digest, mediaType, bytes }: GeneratedBlob) => ({
    digest: digest,
    mediaType,
    size: bytes.length,
  });
  const fake: FakeRegistry = { client: Object.create(null) as RegistryClient, asked, send: () => undefined };
  const read = (digest: Digest, range?: ByteRange, signal?: AbortSignal): AsyncIterable<Uint8Array> => {
    const from = range?.offset ?? 0;
    asked.push(`blob ${digest} ${String(from)}`);
    const bytes = blobs.get(digest);
    const sent = fake.send(digest, from, signal);
    if (sent !== undefined) return sent;
    if (bytes === undefined) throw new VeneerError('not-found', `blob ${digest} is not there`);
    return inPieces(bytes.subarray(from));
  };
  const repository = (name: { registry: string; repository: string }): Partial<Repository> => ({
    name,
    head: (reference) => {
      asked.push(`head ${reference}`);
      const found = manifests.get(reference);
      return Promise.resolve(found && describe(found));
    },
    manifest: (reference) => {
      asked.push(`manifest ${reference}`);
      const found = manifests.get(reference);
      if (found === undefined) return Promise.reject(new VeneerError('not-found', `${reference}: manifest unknown`));
      return Promise.resolve({ ...describe(found), bytes: found.bytes });
    },
    blob: ({ digest, size }): BlobReader => ({
      digest,
      size,
      read: (range, { signal } = {}) => read(digest, range, signal),
    }),
    tags: async function* () {
      await Promise.resolve();
      yield* [...manifests.keys()].filter((key) => !key.startsWith('sha256:'));
    },
  });
  Object.assign(fake, { client: { repository } });
  return fake;
}
