// Registries that are broken or mean harm: one clear line each, nothing that shows, and the next pull works.

import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  descriptor,
  fill,
  generateImage,
  sha256,
  startProxy,
  startRegistry,
  tarOf,
} from '../helpers/registry/index.js';
import type { Behaviour, GeneratedBlob, ProxiedRequest, Rules, TestRegistry } from '../helpers/registry/index.js';
import { needs, PullBox } from './registry-fixture.js';

const image = generateImage();
const [bottom, middle] = image.layers as [GeneratedBlob, GeneratedBlob];
const { manifest, config } = image;

const asksManifest = ({ path }: ProxiedRequest): boolean => path.includes('/manifests/');
const asksBlob = ({ path }: ProxiedRequest, { digest } = middle): boolean => path.endsWith(`/blobs/${digest}`);

/** Does this to what the registry says of the manifest. */
const onManifest =
  (behaviour: Behaviour): Rules =>
  (request) =>
    asksManifest(request) ? behaviour : undefined;
const onBlob =
  (behaviour: Behaviour, blob: GeneratedBlob = middle): Rules =>
  (request) =>
    asksBlob(request, blob) ? behaviour : undefined;

type Json = Record<string, unknown>;
const html = {
  status: 200,
  headers: { 'content-type': 'text/html' },
  body: '<html><body>Welcome to the hotel</body></html>',
};

/** An image whose parts are changed, and the bytes of all of them are as its digests say. */
function forged(change: {
  manifest?: (document: Json) => Json;
  config?: (document: Json) => Json;
  layer?: Buffer;
}): Rules {
  const layer = change.layer === undefined ? bottom : { ...bottom, digest: sha256(change.layer), bytes: change.layer };
  const read = ({ bytes }: GeneratedBlob): Json => JSON.parse(bytes.toString()) as Json;
  const make = (of: GeneratedBlob, document: Json): GeneratedBlob => {
    const bytes = Buffer.from(JSON.stringify(document));
    return { ...of, bytes, digest: sha256(bytes) };
  };
  const newConfig = make(config, change.config?.(read(config)) ?? read(config));
  const layers = [layer, ...image.layers.slice(1)];
  const document = { ...read(manifest), config: descriptor(newConfig), layers: layers.map(descriptor) };
  const newManifest = make(manifest, change.manifest?.(document) ?? document);
  const called = change.manifest?.(document)['mediaType'];
  return (request) => {
    const found = [newConfig, layer].find((blob) => asksBlob(request, blob));
    if (found !== undefined) return { answer: { status: 200, body: found.bytes } };
    const headers = {
      'content-type': typeof called === 'string' ? called : manifest.mediaType,
      'docker-content-digest': newManifest.digest,
    };
    return asksManifest(request) ? { answer: { status: 200, headers, body: newManifest.bytes } } : undefined;
  };
}

const layersOf = (document: Json): Json[] => document['layers'] as Json[];
/** A manifest whose second layer's descriptor is changed. */
const withLayer = (change: Json): Rules =>
  forged({
    manifest: (document) => ({
      ...document,
      layers: layersOf(document).map((layer, index) => (index === 1 ? { ...layer, ...change } : layer)),
    }),
  });

interface Case {
  readonly name: string;
  readonly rules: Rules;
  readonly error: RegExp;
  readonly options?: readonly string[];
  readonly env?: Record<string, string>;
}

const CASES: readonly Case[] = [
  {
    name: 'another byte in a layer',
    rules: onBlob({ corruptAt: 30_000 }),
    error: /layer sha256:\w+: content has digest sha256:\w+, expected sha256:\w+$/m,
  },
  {
    name: 'another byte in the configuration',
    rules: onBlob({ corruptAt: 100 }, config),
    error: /configuration sha256:\w+ is not what its digest says: sha256:\w+$/m,
  },
  {
    name: 'another byte in the manifest',
    rules: onManifest({ corruptAt: 100 }),
    error: /manifest sha256:\w+: [\d.:]+ sends another one, sha256:\w+$/m,
  },
  {
    name: 'a layer that is shorter',
    rules: onBlob({ replace: (body) => body.subarray(0, 1000) }),
    error: /blob sha256:\w+: the registry has 1000 bytes of it, not \d+$/m,
  },
  {
    name: 'a layer that is longer',
    rules: onBlob({ replace: (body) => Buffer.concat([body, body]) }),
    error: /blob sha256:\w+: the registry has \d+ bytes of it, not \d+$/m,
  },
  {
    name: 'an empty layer',
    rules: onBlob({ replace: () => Buffer.alloc(0) }),
    error: /blob sha256:\w+: the registry has 0 bytes of it, not \d+$/m,
  },
  {
    name: 'a layer that is always cut',
    rules: onBlob({ cutAfter: 0 }),
    error: /blob sha256:\w+: [\d.:]+: connection closed/,
  },
  {
    name: 'an endless layer',
    rules: onBlob({ endless: true }),
    error: /blob sha256:\w+: the registry sends more than it has announced$/m,
  },
  {
    name: 'an endless configuration',
    rules: onBlob({ endless: true }, config),
    error: /blob sha256:\w+: the registry sends more than it has announced$/m,
  },
  { name: 'an endless manifest', rules: onManifest({ endless: true }), error: /sends a manifest of more than/ },
  {
    name: 'an endless error',
    rules: onManifest({ answer: { status: 403, body: '{"errors":[' }, endless: true }),
    error: /answers HTTP 403 Forbidden\n {2}hint: [^\n]*veneer login/,
  },
  {
    name: 'a layer that stops coming',
    rules: onBlob({ stallAfter: 1000 }),
    error: /nothing came for 0\.3 s$/m,
    env: { VENEER_REGISTRY_TIMEOUT: '300ms' },
  },
  {
    name: 'a manifest that stops coming',
    rules: onManifest({ stallAfter: 100 }),
    error: /nothing came for 0\.3 s$/m,
    env: { VENEER_REGISTRY_TIMEOUT: '300ms' },
  },
  {
    name: 'no answer',
    rules: onManifest({ after: new Promise(() => undefined) }),
    error: /does not answer within 0\.3 s$/m,
    env: { VENEER_REGISTRY_TIMEOUT: '300ms' },
  },
  { name: 'connections that are closed', rules: () => ({ close: true }), error: /[\d.:]+: connection closed/ },
  {
    name: 'a redirect to itself',
    rules: (request) =>
      asksBlob(request) ? { answer: { status: 307, headers: { location: request.path } } } : undefined,
    error: /blob sha256:\w+: [\d.:]+ redirects in a circle$/m,
  },
  {
    name: 'redirects without an end',
    rules: (request) =>
      request.path.includes(middle.digest)
        ? { answer: { status: 307, headers: { location: `${request.path}0` } } }
        : undefined,
    error: /blob sha256:\w+: more than 10 redirects, the last one from [\d.:]+$/m,
  },
  {
    name: 'a redirect to a file',
    rules: onBlob({ answer: { status: 302, headers: { location: 'file:///etc/passwd' } } }),
    error: /redirects to a 'file:' URL$/m,
  },
  { name: 'a redirect to nowhere', rules: onBlob({ answer: { status: 302 } }), error: /redirects to nowhere$/m },
  {
    name: 'a redirect to no URL',
    rules: onBlob({ answer: { status: 302, headers: { location: 'http://[' } } }),
    error: /redirects to what is no URL$/m,
  },
  {
    name: 'HTML for a manifest',
    rules: onManifest({ answer: html }),
    error: /sends text\/html that is not JSON as a manifest$/m,
  },
  {
    name: 'HTML for an error',
    rules: onManifest({ answer: { ...html, status: 404 } }),
    error: /answers HTTP 404 Not Found and a body of text\/html\n {2}hint: /,
  },
  {
    name: 'HTML for everything',
    rules: () => ({ answer: html }),
    error: /sends text\/html that is not JSON as a manifest$/m,
  },
  {
    name: 'an empty manifest',
    rules: onManifest({ answer: { status: 200, headers: { 'content-type': manifest.mediaType } } }),
    error: /sends application\/vnd\.oci\.image\.manifest\.v1\+json that is not JSON as a manifest$/m,
  },
  {
    name: 'a manifest that is a list',
    rules: onManifest({ replace: () => Buffer.from('[]'), headers: { 'docker-content-digest': undefined } }),
    error: /malformed manifest of [\d.:]+\/team\/app:1: it is not an object$/m,
  },
  {
    name: 'a manifest of deep JSON',
    rules: onManifest({
      replace: () => Buffer.from('['.repeat(1 << 20)),
      headers: { 'docker-content-digest': undefined },
    }),
    error: /that is not JSON as a manifest$/m,
  },
  {
    name: 'a huge manifest',
    rules: onManifest({
      replace: (body) => Buffer.concat([body, Buffer.alloc(9 << 20, ' ')]),
      headers: { 'docker-content-digest': undefined },
    }),
    error: /sends a manifest of more than/,
  },
  {
    name: 'a manifest of schema 1',
    rules: onManifest({
      answer: {
        status: 200,
        headers: { 'content-type': 'application/vnd.docker.distribution.manifest.v1+prettyjws' },
        body: '{"schemaVersion":1,"name":"x","tag":"1","fsLayers":[]}',
      },
    }),
    error: /is in Docker's old format, schema 1\n {2}hint: /,
  },
  {
    name: 'a manifest without layers',
    rules: forged({ manifest: ({ layers: _, ...rest }) => rest }),
    error: /malformed image manifest: 'layers' is missing$/m,
  },
  {
    name: 'an artifact',
    rules: forged({
      manifest: (document) => ({
        ...document,
        config: { ...(document['config'] as Json), mediaType: 'application/vnd.unknown.chart' },
      }),
    }),
    error: /is no image, but holds 'application\/vnd\.unknown\.chart'\n {2}hint: /,
  },
  {
    name: 'a manifest of an unknown type',
    rules: forged({ manifest: (document) => ({ ...document, mediaType: 'application/vnd.unknown+json' }) }),
    error: /is no image: the registry has 'application\/vnd\.unknown\+json' there$/m,
  },
  {
    name: 'a layer of an unknown type',
    rules: withLayer({ mediaType: 'application/vnd.unknown.squashfs' }),
    error: /'application\/vnd\.unknown\.squashfs' is not a kind of layer that can be unpacked$/m,
  },
  {
    name: 'an encrypted layer',
    rules: withLayer({ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip+encrypted' }),
    error: /gzip\+encrypted' is not a kind of layer that can be unpacked$/m,
  },
  {
    name: 'a digest that is a path',
    rules: withLayer({ digest: 'sha256:../../../../etc/passwd' }),
    error: /'layers\[1\]\.digest' is not a sha256 digest$/m,
  },
  {
    name: 'a digest of an unknown algorithm',
    rules: withLayer({ digest: `md5:${'0'.repeat(32)}` }),
    error: /'layers\[1\]\.digest' is not a sha256 digest$/m,
  },
  {
    name: 'a digest that steers terminals',
    rules: withLayer({ digest: '\u001b[2Jsha256:x' }),
    error: /'layers\[1\]\.digest' is not a sha256 digest$/m,
  },
  { name: 'a negative size', rules: withLayer({ size: -1 }), error: /'layers\[1\]\.size' is not a size$/m },
  {
    name: 'a size beyond all numbers',
    rules: withLayer({ size: 1e300 }),
    error: /'layers\[1\]\.size' is not a size$/m,
  },
  {
    name: 'a size that is another',
    rules: withLayer({ size: 10 }),
    error: /blob sha256:\w+: the registry has \d+ bytes of it, not 10$/m,
  },
  {
    name: 'a size beyond every disk',
    rules: withLayer({ size: 1e15 }),
    error: /blob sha256:\w+: the registry has \d+ bytes of it, not 1000000000000000$/m,
  },
  {
    name: 'a layer that the configuration does not name',
    rules: forged({
      config: (document) => ({ ...document, rootfs: { type: 'layers', diff_ids: image.diffIds.slice(1) } }),
    }),
    error: /the configuration of [\d.:]+\/team\/app names 2 layers, its manifest 3$/m,
  },
  {
    name: 'a layer whose content is another',
    rules: forged({
      config: (document) => ({ ...document, rootfs: { type: 'layers', diff_ids: [...image.diffIds].reverse() } }),
    }),
    error: /layer sha256:\w+: its content has the digest sha256:\w+, its configuration says sha256:\w+$/m,
  },
  {
    name: 'a layer that is no gzip',
    rules: forged({ layer: Buffer.from('this is text') }),
    error: /layer sha256:\w+: this is not a tar archive/,
  },
  {
    name: 'a layer that is no tar',
    rules: forged({ layer: gzipSync(Buffer.alloc(1000, 'text')) }),
    error: /layer sha256:\w+: this is not a tar archive/,
  },
  {
    name: 'a layer that leaves its directory',
    rules: forged({ layer: gzipSync(tarOf({ '../../../outside': 'x' })) }),
    error: /tar entry '\.\.\/\.\.\/\.\.\/outside': its path or link target contains '\.\.'$/m,
  },
  {
    name: 'another Docker-Content-Digest',
    rules: onManifest({ headers: { 'docker-content-digest': `sha256:${'0'.repeat(64)}` } }),
    error: /manifest sha256:0{64}: [\d.:]+ sends another one, sha256:\w+$/m,
  },
  {
    name: 'a body that says it is encoded',
    rules: onBlob({ headers: { 'content-encoding': 'gzip' } }),
    error: /sends it encoded, which was not asked for$/m,
  },
  {
    name: 'a status of another world',
    rules: onManifest({ answer: { status: 299, body: 'x' } }),
    error: /answers HTTP 299$/m,
  },
  {
    name: 'an error that steers terminals',
    rules: onManifest({
      answer: {
        status: 500,
        body: JSON.stringify({ errors: [{ code: '\u001b[2J', message: 'a\nb\u001b]0;x\u0007\u202e' }] }),
      },
    }),
    error: /the registry says: \\x1b\[2j: a b\\x1b\]0;x\\x07\\u202e$/m,
  },
  {
    name: 'an error without an end',
    rules: onManifest({
      answer: { status: 400, body: JSON.stringify({ errors: [{ code: 'X', message: 'x'.repeat(100_000) }] }) },
    }),
    error: /answers HTTP 400 Bad Request$/m,
  },
  {
    name: 'a blob that is gone',
    rules: onBlob({
      answer: { status: 404, body: '{"errors":[{"code":"BLOB_UNKNOWN","message":"blob unknown to registry"}]}' },
    }),
    error: /blob sha256:\w+: the registry says: blob unknown to registry$/m,
  },
];

describe.skipIf(needs.skip)(needs.title('a hostile registry'), () => {
  let registry: TestRegistry;
  beforeAll(async () => {
    registry = await startRegistry();
    await fill(registry, 'team/app:1');
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  const pull = (host: string, ...options: string[]): string[] => [
    'pull',
    '-q',
    '--retry',
    '2',
    '--retry-delay',
    '1ms',
    ...options,
    `${host}/team/app:1`,
  ];

  test.each(CASES)('$name', async ({ rules, error, options = [], env = {} }) => {
    await using proxy = await startProxy(registry.url, rules);
    using box = new PullBox();
    const said = await box.fails(pull(proxy.host, ...options), { env });
    expect(said).toContain(`${proxy.host}/team/app`);
    expect(said).toMatch(error);
    box.expectNothing();
    proxy.rules = () => undefined;
    await box.pullHere(proxy.host, 'team/app');
    box.expectImage(image);
  });

  describe('that lists tags', () => {
    const listing = (tags: unknown, link?: string): Behaviour => ({
      answer: {
        status: 200,
        headers: {
          'content-type': 'application/json',
          ...(link === undefined ? {} : { link: `<${link}>; rel="next"` }),
        },
        body: JSON.stringify({ name: 'team/app', tags }),
      },
    });
    const next = '/v2/team/app/tags/list?last=1&n=1';

    test.each<[string, Rules, RegExp]>([
      ['again and again', () => listing(['1'], next), /lists the same again and again/],
      [
        'elsewhere',
        () => listing(['1'], 'http://127.0.0.1:1/v2/team/app/tags/list'),
        /continues its list at 127\.0\.0\.1:1/,
      ],
      ['as HTML', () => ({ answer: html }), /something else than a list|text\/html/],
      ['as a text', () => listing('all of them'), /something else than a list/],
      ['beyond all bounds', () => listing(Array<string>(2_000_000).fill('abcdef')), /sends a list of more than/],
    ])('%s is an error', async (_, rules, error) => {
      await using proxy = await startProxy(registry.url, rules);
      using box = new PullBox();
      const { code, stderr } = await box.run(['tags', '--retry', '0', `${proxy.host}/team/app`]);
      expect(code).toBe(1);
      expect(stderr).toMatch(/^veneer: [^\n]+\n( {2}hint: [^\n]+\n)?$/);
      expect(stderr).toMatch(error);
    });

    test('that are none does not get them to the terminal', async () => {
      await using proxy = await startProxy(registry.url, () =>
        listing(['../../etc', '\u001b[2J', 'good', 7, 'x'.repeat(200)]),
      );
      using box = new PullBox();
      expect(await box.ok(['tags', `${proxy.host}/team/app`])).toBe('good');
    });
  });
});
