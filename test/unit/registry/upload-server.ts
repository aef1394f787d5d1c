// A registry's side of uploads, in memory: by the distribution spec, with the ways in which registries and what stands in front
// of them fail. What is in the knobs can be changed at any time.

import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { digestOf } from '../../../src/core/index.js';

export interface Knobs {
  /** The connection is cut when so many bytes of a request's content have come. */
  cutAfter?: number | undefined;
  /** How often; always by default. */
  cuts?: number;
  /** What a cut request has brought is kept, as in the spec, or the upload is lost with it, as in Docker's registry 2.8. */
  keeps?: boolean;
  /** Larger requests are refused before they are read. */
  maxBody?: number;
  /** What a POST that asks for a mount is answered. */
  mount?: 201 | 202 | 403 | 405;
  /** Of the answer that begins an upload. */
  location?: (id: string) => string;
  minChunk?: number;
  /** Of what is said to be stored. */
  storedAs?: string;
  /** The answer to the last PUT does not come; how often. */
  lostAnswers?: number;
  /** What any request is answered instead: a status, and a body. */
  instead?: (request: Seen) => readonly [number, string] | undefined;
  /** How much of a chunk is taken. */
  taken?: (size: number) => number;
}

export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly range: string | undefined;
  /** Bytes of content that came. */
  bytes: number;
}

export interface UploadServer {
  readonly host: string;
  readonly knobs: Knobs;
  readonly seen: readonly Seen[];
  /** `METHOD` and what of the path follows the repository, without what is random. */
  readonly lines: readonly string[];
  readonly blobs: Map<string, Buffer>;
  /** By what they were stored under. */
  readonly manifests: Map<string, Buffer>;
}

const PREFIX = '/v2/team/app/';

export async function uploadServer(knobs: Knobs = {}): Promise<UploadServer> {
  const seen: Seen[] = [];
  const blobs = new Map<string, Buffer>();
  const manifests = new Map<string, Buffer>();
  const sessions = new Map<string, Buffer>();
  let count = 0;

  // What it has is part of the place, as with Docker's registry.
  const place = (id: string): string => {
    const at = String(sessions.get(id)?.length ?? 0);
    return (knobs.location ?? ((name) => `${PREFIX}blobs/uploads/${name}?_state=a%2Bb%3D`))(id) + `&at=${at}`;
  };
  const answer = (response: ServerResponse, status: number, headers: Record<string, string> = {}, body = ''): unknown =>
    response.writeHead(status, { 'content-length': String(Buffer.byteLength(body)), ...headers }).end(body);
  const fail = (response: ServerResponse, status: number, code: string): unknown =>
    answer(
      response,
      status,
      { 'content-type': 'application/json' },
      JSON.stringify({ errors: [{ code, message: code }] }),
    );
  const rangeOf = (content: Buffer): Record<string, string> => ({
    range: `0-${String(Math.max(content.length - 1, 0))}`,
  });

  /** Undefined where the connection was cut. */
  const contentOf = async (request: IncomingMessage, entry: Seen): Promise<{ bytes: Buffer; whole: boolean }> => {
    const pieces: Buffer[] = [];
    for await (const piece of request as AsyncIterable<Buffer>) {
      pieces.push(piece);
      entry.bytes += piece.length;
      if (knobs.cutAfter !== undefined && entry.bytes >= knobs.cutAfter && (knobs.cuts ?? 1) > 0) {
        if (knobs.cuts !== undefined) knobs.cuts -= 1;
        request.socket.destroy();
        return { bytes: Buffer.concat(pieces).subarray(0, knobs.cutAfter), whole: false };
      }
    }
    return { bytes: Buffer.concat(pieces), whole: true };
  };

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://x');
    const method = request.method ?? '';
    const entry: Seen = { method, path: request.url ?? '', range: request.headers['content-range'], bytes: 0 };
    seen.push(entry);
    const handle = async (): Promise<unknown> => {
      const instead = knobs.instead?.(entry);
      if (instead !== undefined)
        return answer(response, instead[0], { 'content-type': 'application/json' }, instead[1]);
      const rest = url.pathname.slice(PREFIX.length);
      if (method === 'PUT' && rest.startsWith('manifests/')) {
        manifests.set(rest.slice('manifests/'.length), (await contentOf(request, entry)).bytes);
        return answer(response, 201, knobs.storedAs === undefined ? {} : { 'docker-content-digest': knobs.storedAs });
      }
      if (method === 'HEAD') {
        const blob = blobs.get(rest.replace('blobs/', ''));
        return answer(response, blob === undefined ? 404 : 200, blob && { 'content-length': String(blob.length) });
      }
      if (method === 'POST') {
        const mounts = url.searchParams.has('mount');
        if (mounts && knobs.mount === 201) return answer(response, 201, { location: `${PREFIX}blobs/x` });
        if (mounts && knobs.mount !== undefined && knobs.mount !== 202) return fail(response, knobs.mount, 'DENIED');
        count += 1;
        sessions.set(String(count), Buffer.alloc(0));
        const least = knobs.minChunk === undefined ? {} : { 'oci-chunk-min-length': String(knobs.minChunk) };
        return answer(response, 202, { location: place(String(count)), range: '0-0', ...least });
      }
      const id = /uploads\/(\w+)/.exec(url.pathname)?.[1] ?? '';
      const content = sessions.get(id);
      const isKnown = content !== undefined && url.searchParams.has('_state');
      const isStale = method !== 'GET' && Number(url.searchParams.get('at')) !== content?.length;
      if (!isKnown || isStale) return fail(response, 404, 'BLOB_UPLOAD_UNKNOWN');
      if (method === 'GET') return answer(response, 204, { location: place(id), ...rangeOf(content) });
      if (knobs.maxBody !== undefined && Number(request.headers['content-length']) > knobs.maxBody) {
        request.resume();
        return answer(response, 413, {}, '');
      }
      if (method === 'PATCH' && Number(entry.range?.split('-')[0]) !== content.length) {
        request.resume();
        return fail(response, 416, 'RANGE_INVALID');
      }
      const { bytes, whole } = await contentOf(request, entry);
      if (!whole) {
        if (knobs.keeps === true) sessions.set(id, Buffer.concat([content, bytes]));
        else sessions.delete(id);
        return undefined;
      }
      const taken = method === 'PATCH' ? bytes.subarray(0, knobs.taken?.(bytes.length)) : bytes;
      const all = Buffer.concat([content, taken]);
      sessions.set(id, all);
      if (method === 'PATCH') return answer(response, 202, { location: place(id), ...rangeOf(all) });
      const digest = url.searchParams.get('digest') ?? '';
      if (digestOf(all) !== digest) return fail(response, 400, 'DIGEST_INVALID');
      sessions.delete(id);
      blobs.set(digest, all);
      if ((knobs.lostAnswers ?? 0) > 0) {
        knobs.lostAnswers = (knobs.lostAnswers ?? 0) - 1;
        request.socket.destroy();
        return undefined;
      }
      return answer(response, 201, { 'docker-content-digest': knobs.storedAs ?? digest });
    };
    handle().catch(() => request.socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    host: `127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    knobs,
    seen,
    get lines() {
      return seen.map(({ method, path, range }) => {
        const rest = path.slice(PREFIX.length).replace(/sha256(:|%3A)[0-9a-f]{64}/, 'DIGEST');
        return `${method} ${rest}${range === undefined ? '' : ` ${range}`}`;
      });
    },
    blobs,
    manifests,
  };
}
