// A server of a few lines that stands for a registry, a token server or a storage in one test.

import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SeenRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Served extends AsyncDisposable {
  readonly host: string;
  readonly url: string;
  readonly requests: SeenRequest[];
  /** The headers of all requests of a name, undefined where it was not sent. */
  sent(header: string): (string | undefined)[];
}

export type Handler = (request: SeenRequest, response: ServerResponse) => void;

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

export async function serve(handle: Handler): Promise<Served> {
  const requests: SeenRequest[] = [];
  const server = createServer((request, response) => {
    const { method = '', url: address = '', headers } = request;
    textOf(request).then(
      (body) => {
        const seen = { method, path: address, headers, body };
        requests.push(seen);
        handle(seen, response);
      },
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  return {
    host,
    url: `http://${host}`,
    requests,
    sent: (header) =>
      requests.map(({ headers }) => {
        const value = headers[header];
        return Array.isArray(value) ? value.join() : value;
      }),
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export function answerJson(response: ServerResponse, document: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(document));
}
