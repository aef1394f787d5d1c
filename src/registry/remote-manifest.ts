// Manifests as a registry gives them: bounded, and checked against what they were asked for by.

import { digestOf, isDigest } from '../core/index.js';
import type { Digest } from '../core/index.js';
import { MediaTypes } from '../image/index.js';
import { hintForPage, misbehaviour, shownText, wrongContent } from './errors.js';
import { single } from './exchange.js';
import type { Reply } from './transport.js';

export interface RemoteDescriptor {
  readonly digest: Digest;
  readonly mediaType: string;
  /** In bytes. */
  readonly size: number;
}

export interface RemoteManifest extends RemoteDescriptor {
  readonly bytes: Buffer;
}

/** The distribution spec lets a registry refuse more than 4 MiB. */
const MAX_MANIFEST = 8 * 1024 * 1024;

/** What is understood; a registry that has something else should say what, rather than that there is nothing. */
export const ACCEPT = [MediaTypes.index, MediaTypes.manifest, MediaTypes.dockerManifestList, MediaTypes.dockerManifest, '*/*'].join(', '); // prettier-ignore

/** Types that say nothing of what is in a document. */
const GENERIC = ['application/json', 'text/plain', 'application/octet-stream', 'binary/octet-stream'];

function typeOf(reply: Reply): string | undefined {
  const type = single(reply.headers, 'content-type')?.split(';')[0]?.trim().toLowerCase();
  return type === undefined || type === '' || GENERIC.includes(type) ? undefined : type;
}

function digestHeader(reply: Reply): Digest | undefined {
  const text = single(reply.headers, 'docker-content-digest');
  return text !== undefined && isDigest(text) ? text : undefined;
}

/** The descriptor in the headers of an answer to HEAD, if all of it is there. */
export function readHead(reply: Reply, reference: string): RemoteDescriptor | undefined {
  const mediaType = typeOf(reply);
  const length = single(reply.headers, 'content-length');
  const digest = isDigest(reference) ? reference : digestHeader(reply);
  if (mediaType === undefined || digest === undefined || length === undefined || !/^\d{1,15}$/.test(length))
    return undefined;
  return { digest, mediaType, size: Number(length) };
}

/** Reads and checks the answer to GET. Throws `integrity` where the bytes are not those that are named. */
export async function readManifest(
  reply: Reply,
  { subject, reference, size }: { subject: string; reference: string; size?: number | undefined },
): Promise<RemoteManifest> {
  const { host } = reply.url;
  const bytes = await reply.body.bytes(MAX_MANIFEST, 'manifest');
  const digest = digestOf(bytes);
  const expected = isDigest(reference) ? reference : (digestHeader(reply) ?? digest);
  if (size !== undefined && size !== bytes.length) {
    throw wrongContent(
      subject,
      `manifest ${expected}: ${host} sends ${String(bytes.length)} bytes, not ${String(size)}`,
    );
  }
  if (digest !== expected) throw wrongContent(subject, `manifest ${expected}: ${host} sends another one, ${digest}`);
  const announced = typeOf(reply);
  const own = ownType(bytes);
  if (own === undefined) {
    const what = `${host} sends ${shownText(announced ?? 'something')} that is not JSON as a manifest`;
    throw misbehaviour(subject, what, hintForPage(host, announced));
  }
  // Two readers must not see two things in the same bytes.
  if (announced !== undefined && own !== '' && own !== announced) {
    throw wrongContent(
      subject,
      `${host} calls the manifest ${shownText(announced)}, but it calls itself ${shownText(own)}`,
    );
  }
  const mediaType = announced ?? own;
  if (mediaType === '') throw misbehaviour(subject, `${host} does not say what kind of manifest it sends`);
  return { digest, mediaType, size: bytes.length, bytes };
}

/** The `mediaType` of a document, '' without one; undefined if it is no JSON. */
function ownType(bytes: Buffer): string | undefined {
  let document: unknown;
  try {
    document = JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
  if (typeof document !== 'object' || document === null || !('mediaType' in document)) return '';
  return typeof document.mediaType === 'string' ? document.mediaType : '';
}
