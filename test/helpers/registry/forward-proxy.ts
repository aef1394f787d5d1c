// What HTTP_PROXY and HTTPS_PROXY name: it makes connections for others, here to this machine whatever their name.

import { createServer, request as ask } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';

export interface ForwardProxy extends AsyncDisposable {
  readonly url: string;
  /** `CONNECT HOST:PORT`, or `GET http://…`, with the header that says who asks. */
  readonly requests: { readonly line: string; readonly authorization?: string }[];
}

/** Takes any host name for 127.0.0.1, and any port for `port` if that is given. */
export async function startForwardProxy({ port }: { readonly port?: number } = {}): Promise<ForwardProxy> {
  const requests: ForwardProxy['requests'] = [];
  const note = (line: string, authorization: string | undefined): void =>
    void requests.push({ line, ...(authorization === undefined ? {} : { authorization }) });
  const sockets = new Set<Duplex>();
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '');
    note(`${request.method ?? ''} ${url.href}`, request.headers['proxy-authorization']);
    const { method, headers } = request;
    const asked = ask(
      { host: '127.0.0.1', port: port ?? url.port, path: url.pathname + url.search, method, headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    asked.on('error', () => response.destroy());
    request.pipe(asked);
  });
  server.on('connect', (request, client: Socket) => {
    note(`CONNECT ${request.url ?? ''}`, request.headers['proxy-authorization']);
    const other = connect(port ?? Number(/:(\d+)$/.exec(request.url ?? '')?.[1]), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      client.pipe(other).pipe(client);
    });
    for (const socket of [client, other]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => [client, other].forEach((either) => either.destroy()));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    requests,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
        for (const socket of sockets) socket.destroy();
      }),
  };
}
