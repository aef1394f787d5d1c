// Connections that end in the middle, and pulls that do: what has come is not asked for again, in this process or the next.

import { closeSync, openSync, readdirSync, statSync, writeSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fill, startProxy, startRegistry } from '../helpers/registry/index.js';
import type {
  GeneratedBlob,
  GeneratedImage,
  HostileProxy,
  ProxiedRequest,
  TestRegistry,
} from '../helpers/registry/index.js';
import { SmallDisk } from '../helpers/small-disk.js';
import { tempDir } from '../helpers/tmp.js';
import { needs, PullBox } from './registry-fixture.js';

const KIB = 1024;
const rangeFrom = (start: number): string => expect.stringMatching(`^bytes=${String(start)}-\\d*$`) as string;
const isBlob = ({ method, path: target }: ProxiedRequest): boolean => method === 'GET' && target.includes('/blobs/');

describe.skipIf(needs.skip)(needs.title('a pull that is cut'), () => {
  let registry: TestRegistry;
  let image: GeneratedImage;
  let middle: GeneratedBlob;
  beforeAll(async () => {
    registry = await startRegistry();
    image = await fill(registry, 'team/app:1', { layers: 5, size: 512 * KIB });
    middle = image.layers[2]!;
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  const pull = (host: string, retries = '2'): string[] => [
    'pull',
    '-q',
    '--retry',
    retries,
    '--retry-delay',
    '1ms',
    `${host}/team/app:1`,
  ];
  const asked = (proxy: HostileProxy, { digest } = middle): ProxiedRequest[] =>
    proxy.requests.filter((request) => isBlob(request) && request.path.endsWith(digest));
  const sent = (proxy: HostileProxy, blob = middle): number =>
    asked(proxy, blob).reduce((sum, request) => sum + request.sent, 0);

  /** How many bytes of the blob a pull that was cut has left. */
  function left(box: PullBox, { digest } = middle): number {
    const staging = path.join(box.root, 'staging');
    const name = readdirSync(staging).find((one) => one.includes(digest.slice('sha256:'.length)));
    return name === undefined ? 0 : statSync(path.join(staging, name)).size;
  }

  async function until(holds: () => boolean): Promise<void> {
    const deadline = Date.now() + 20_000;
    while (!holds()) {
      if (Date.now() > deadline) throw new Error('it does not come to that');
      await sleep(5);
    }
  }

  test('50 times ends in a correct image, and no byte comes twice', async () => {
    let cuts = 0;
    await using proxy = await startProxy(registry.url, (request) => {
      const blob = image.layers.find(({ digest }) => request.path.endsWith(digest));
      const start = Number(/\d+/.exec(request.headers.range ?? '0')?.[0]);
      if (blob === undefined || start + 40 * KIB >= blob.bytes.length || cuts === 50) return undefined;
      cuts += 1;
      return { cutAfter: 40 * KIB };
    });
    using box = new PullBox();
    expect(await box.ok(pull(proxy.host))).toBe(`${proxy.host}/team/app:1`);
    box.expectImage(image);
    const wasCut = proxy.requests.filter((request) => isBlob(request) && request.sent === 40 * KIB);
    expect(wasCut).toHaveLength(50);
    for (const layer of image.layers) expect(sent(proxy, layer)).toBe(layer.bytes.length);
  });

  test('by a registry that knows no ranges begins at the first byte, and uses what it has', async () => {
    await using proxy = await startProxy(registry.url, (request) =>
      isBlob(request)
        ? { withoutRequestHeaders: ['range'], ...(request.nth < 2 ? { cutAfter: (request.nth + 1) * 100 * KIB } : {}) }
        : undefined,
    );
    using box = new PullBox();
    await box.ok(pull(proxy.host));
    box.expectImage(image);
    expect(asked(proxy).map(({ headers, status }) => [headers.range, status])).toEqual([
      [undefined, 200],
      [rangeFrom(100 * KIB), 200],
      [rangeFrom(200 * KIB), 200],
    ]);
  });

  test('and gets no byte any more gives up after its attempts, and the next one goes on', async () => {
    await using proxy = await startProxy(registry.url, (request) =>
      isBlob(request) && request.path.endsWith(middle.digest)
        ? { cutAfter: request.nth === 0 ? 200 * KIB : 0 }
        : undefined,
    );
    using box = new PullBox();
    const said = await box.fails(pull(proxy.host));
    expect(said).toContain(`${proxy.host}/team/app: blob ${middle.digest}: `);
    expect(said).toContain('connection closed');
    box.expectNothing();
    expect(asked(proxy)).toHaveLength(4);
    expect(left(box)).toBe(200 * KIB);
    proxy.rules = () => undefined;
    await box.ok(pull(proxy.host));
    box.expectImage(image);
    expect(asked(proxy).at(-1)!.headers.range).toEqual(rangeFrom(200 * KIB));
    expect(sent(proxy)).toBe(middle.bytes.length);
    // What was complete is not asked for again at all.
    for (const layer of image.layers) expect(sent(proxy, layer)).toBe(layer.bytes.length);
  });

  test('that left a damaged beginning fetches the whole', async () => {
    await using proxy = await startProxy(registry.url, (request) =>
      isBlob(request) && request.path.endsWith(middle.digest)
        ? { cutAfter: request.nth === 0 ? 200 * KIB : 0 }
        : undefined,
    );
    using box = new PullBox();
    await box.fails(pull(proxy.host));
    const staging = path.join(box.root, 'staging');
    const [partial = ''] = readdirSync(staging);
    const fd = openSync(path.join(staging, partial), 'r+');
    writeSync(fd, 'damage', 100_000);
    closeSync(fd);
    proxy.rules = () => undefined;
    await box.ok(pull(proxy.host));
    box.expectImage(image);
    expect(asked(proxy).at(-1)).toMatchObject({ status: 200, sent: middle.bytes.length });
  });

  test.each([
    ['kill -9', 'SIGKILL', 137],
    ['^C', 'SIGINT', 130],
    ['SIGTERM', 'SIGTERM', 143],
  ] as const)('by %s shows nothing, and the next one goes on', async (_, signal, code) => {
    await using proxy = await startProxy(registry.url, (request) =>
      isBlob(request) ? { stallAfter: 300 * KIB } : undefined,
    );
    using box = new PullBox();
    const running = box.start(pull(proxy.host));
    await until(() => asked(proxy)[0]?.sent === 300 * KIB && left(box) === 300 * KIB);
    running.child.kill(signal);
    const { stdout, stderr, ...ended } = await running.ended;
    expect({ ...ended, stdout }).toEqual({ code, stdout: '' });
    expect(stderr).toMatch(signal === 'SIGKILL' ? /^$/ : /^veneer: [^\n]+\n$/);
    if (signal !== 'SIGKILL') box.expectNothing();
    proxy.rules = () => undefined;
    await box.ok(pull(proxy.host));
    await box.ok(['system', 'prune', '-f']);
    box.expectImage(image);
    expect(asked(proxy)).toMatchObject([{ status: 200 }, { headers: { range: rangeFrom(300 * KIB) }, status: 206 }]);
  });

  test('by a registry that gives another part says so', async () => {
    await using proxy = await startProxy(registry.url, (request) => {
      if (!isBlob(request) || !request.path.endsWith(middle.digest)) return undefined;
      return request.nth === 0
        ? { cutAfter: 100 * KIB }
        : { headers: { 'content-range': `bytes 5-${String(middle.bytes.length - 1)}/${String(middle.bytes.length)}` } };
    });
    using box = new PullBox();
    const said = await box.fails(pull(proxy.host));
    expect(said).toContain(`blob ${middle.digest}: the registry sends another part than was asked for`);
    box.expectNothing();
  });

  test('by a full disk says so, leaves it in order, and the next one works', async () => {
    await using proxy = await startProxy(registry.url);
    using temp = tempDir('small');
    const disk = new SmallDisk(path.join(temp.path, 'disk'), '20m');
    using box = new PullBox(path.join(disk.path, 'store'));
    await box.ok(['images', '-q']);
    // The image is 2.5 MiB compressed, and as much unpacked.
    for (const mebibytes of [0, 1, 2, 3, 4]) {
      disk.leave(mebibytes * 1024 * KIB);
      const said = await box.fails(pull(proxy.host));
      expect(said).toMatch(
        /^veneer: [^\n]*no space is left on the file system of '[^'\n]*'\n {2}hint: make room there\n$/,
      );
      disk.makeRoom();
      box.expectNothing();
    }
    await box.ok(pull(proxy.host));
    box.expectImage(image);
  });
});
