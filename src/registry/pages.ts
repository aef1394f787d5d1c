// Lists that come in pages (distribution spec, "Listing Tags"): each names the next in a Link header (RFC 8288).

import { hintForPage, misbehaviour, RegistryFailure } from './errors.js';
import { single } from './exchange.js';
import { resolveLocation } from './redirect.js';
import type { Reply, Transport, TransportRequest } from './transport.js';

/** Names asked for at a time, which is the most that some registries give. */
const PAGE = 1000;
const MAX_PAGE_BYTES = 8 * 1024 * 1024;
const MAX_PAGES = 10_000;

/** The target of `Link: <…>; rel="next"`. */
export function nextLink(header: string | undefined): string | undefined {
  for (const link of header?.match(/<[^>]*>[^<]*/g) ?? []) {
    const [, target, parameters] = /^<([^>]*)>(.*)$/s.exec(link) ?? [];
    if (/;\s*rel\s*=\s*(?:"[^"]*\bnext\b[^"]*"|next\b)/i.test(parameters ?? '')) return target;
  }
  return undefined;
}

export interface ListOptions {
  readonly transport: Transport;
  /** The first page: GET, without `n`. */
  readonly request: Omit<TransportRequest, 'method' | 'accept' | 'retry' | 'url'>;
  /** The field of the document that holds the names. */
  readonly field: string;
  readonly subject: string;
}

/** The names of all pages as they come. Throws for a list that goes in circles or does not end. */
export async function* listed({ transport, request, field, subject }: ListOptions): AsyncGenerator<string, void> {
  const { path, query, ...rest } = request;
  let at: Pick<TransportRequest, 'path' | 'query' | 'url'> = {
    ...(path === undefined ? {} : { path }),
    query: { n: String(PAGE), ...query },
  };
  const seen = new Set<string>();
  while (seen.size < MAX_PAGES) {
    const { names, next, from } = await transport.take(
      { ...rest, ...at, method: 'GET', accept: [200], retry: true, subject },
      async (reply) => ({
        names: readNames(await reply.body.bytes(MAX_PAGE_BYTES, 'list'), { field, subject, reply }),
        next: nextLink(single(reply.headers, 'link')),
        from: reply.url,
      }),
    );
    yield* names;
    if (next === undefined) return;
    const url = resolveLocation(subject, next, from);
    if (url.origin !== from.origin) throw misbehaviour(subject, `${from.host} continues its list at ${url.host}`);
    if (seen.has(url.href)) throw misbehaviour(subject, `${from.host} lists the same again and again`);
    seen.add(url.href);
    at = { url };
  }
  throw new RegistryFailure('limit', `${subject}: the list has more than ${String(MAX_PAGES)} pages`);
}

function readNames(
  bytes: Buffer,
  { field, subject, reply }: { field: string; subject: string; reply: Reply },
): string[] {
  const { host } = reply.url;
  const noList = (): RegistryFailure => {
    const hint = hintForPage(host, single(reply.headers, 'content-type'));
    return misbehaviour(subject, `${host} answers with something else than a list`, hint);
  };
  let document: unknown;
  try {
    document = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw noList();
  }
  const names = typeof document === 'object' && document !== null ? (document as Record<string, unknown>)[field] : 0;
  // Go writes an empty list as null.
  if (names === null) return [];
  if (!Array.isArray(names)) throw noList();
  return names.filter((name) => typeof name === 'string');
}
