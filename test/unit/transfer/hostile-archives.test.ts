// Archives that nobody should make: each is refused with a word on what is wrong, and leaves nothing.

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, renameSync, symlinkSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { digestHex, digestOf } from '../../../src/core/index.js';
import { MediaTypes } from '../../../src/image/index.js';
import { loadImages } from '../../../src/transfer/index.js';
import type { LoadOptions } from '../../../src/transfer/index.js';
import { temporaryStore } from '../store/fixture.js';
import {
  addIndex,
  addOciImage,
  asDirectory,
  asTar,
  blobOf,
  configOf,
  dockerArchive,
  finishLayout,
  layerOf,
} from './archives.js';
import type { Files } from './archives.js';

const layer = await layerOf({ 'etc/': '', 'etc/hosts': 'localhost\n' });
const other = await layerOf({ other: 'other' });
const blobName = (bytes: Buffer): string => `blobs/sha256/${digestHex(digestOf(bytes))}`;
const packed = gzipSync(layer);

function docker(change: (files: Files) => void = () => undefined): Files {
  const files = dockerArchive([layer, other], ['app:1']);
  change(files);
  return files;
}

/** manifest.json with other fields. */
function dockerWith(fields: object): Files {
  return docker((files) => {
    const [entry] = JSON.parse(files.get('manifest.json')?.toString() ?? '') as [object];
    files.set('manifest.json', Buffer.from(JSON.stringify([{ ...entry, ...fields }])));
  });
}

function layout(change: (files: Files) => void = () => undefined): Files {
  const files: Files = new Map();
  finishLayout(files, [addOciImage(files, { layers: [layer, other] })]);
  change(files);
  return files;
}

/** A layout whose one image has another manifest. */
function layoutWith(fields: (manifest: { config: object; layers: object[] }) => object): Files {
  const files: Files = new Map();
  const config = blobOf(files, configOf([layer]), { mediaType: MediaTypes.config });
  const manifest = {
    schemaVersion: 2,
    mediaType: MediaTypes.manifest,
    config,
    layers: [blobOf(files, packed, { mediaType: MediaTypes.layerGzip })],
  };
  const bytes = Buffer.from(JSON.stringify({ ...manifest, ...fields(manifest) }));
  return finishLayout(files, [blobOf(files, bytes, { mediaType: MediaTypes.manifest })]);
}

const lie = (bytes: Buffer): Buffer =>
  Buffer.from(bytes.map((byte, at) => (at === bytes.length - 20 ? byte ^ 1 : byte)));
const layerPath = [...docker().keys()].find((name) => name.endsWith('/layer.tar')) ?? '';

function inDirectory(files: Files, change: (root: string) => void): string {
  const root = asDirectory(files);
  change(root);
  return root;
}

interface Hostile {
  readonly archive: () => string | Promise<string>;
  readonly code: string;
  readonly message: RegExp;
  readonly options?: LoadOptions;
}

const deep = (): Files => {
  const files: Files = new Map();
  let descriptor = addOciImage(files, { layers: [layer] });
  for (let depth = 0; depth < 6; depth += 1) descriptor = addIndex(files, [descriptor]);
  return finishLayout(files, [descriptor]);
};

const HOSTILE: Readonly<Record<string, Hostile>> = {
  'a configuration with another digest than its name': {
    archive: () =>
      asTar(
        docker((files) =>
          files.set(
            [...files.keys()].find((name) => /^[0-9a-f]{64}\.json$/.test(name)) ?? '',
            configOf([other, layer]),
          ),
        ),
      ),
    code: 'integrity',
    message: /the configuration '[0-9a-f]{64}.json' .* another digest/,
  },
  'a layer with another digest than its configuration says': {
    archive: () => asTar(docker((files) => files.set(layerPath, other))),
    code: 'integrity',
    message: /layer sha256:[0-9a-f]{64}: its content has the digest/,
  },
  'a path in manifest.json that climbs out': {
    archive: () => asTar(dockerWith({ Config: '../../../../etc/passwd' })),
    code: 'integrity',
    message: /'..\/..\/..\/..\/etc\/passwd' .* leads out of the archive/,
  },
  'an absolute path in manifest.json': {
    archive: () => asTar(dockerWith({ Layers: ['/etc/passwd', '/etc/hosts'] })),
    code: 'not-found',
    message: /'\/etc\/passwd' is not in/,
  },
  'a layer that is a symlink out of the archive': {
    archive: () => asTar(docker(), { [layerPath]: { type: 'symlink', target: '../../../../../etc/passwd' } }),
    code: 'integrity',
    message: /leads out of the archive/,
  },
  'a layer that is an absolute symlink': {
    archive: () => asTar(docker(), { [layerPath]: { type: 'symlink', target: '/etc/passwd' } }),
    code: 'not-found',
    message: /is not in/,
  },
  'a symlink that leads to itself': {
    archive: () => asTar(docker(), { [layerPath]: { type: 'symlink', target: 'layer.tar' } }),
    code: 'integrity',
    message: /go round in a circle/,
  },
  'hard links that lead to each other': {
    archive: () =>
      asTar(docker(), { [layerPath]: { type: 'hardlink', target: 'x' }, x: { type: 'hardlink', target: layerPath } }),
    code: 'integrity',
    message: /go round in a circle/,
  },
  'a manifest.json of 9 MiB': {
    archive: () => asTar(docker((files) => files.set('manifest.json', Buffer.alloc(9 << 20, ' ')))),
    code: 'limit',
    message: /manifest.json has 9437184 bytes, too many for a document/,
  },
  'a manifest.json that is no JSON': {
    archive: () => asTar(docker((files) => files.set('manifest.json', Buffer.from('[{]')))),
    code: 'invalid',
    message: /manifest.json: not JSON/,
  },
  'a manifest.json without images': {
    archive: () => asTar(docker((files) => files.set('manifest.json', Buffer.from('[]')))),
    code: 'invalid',
    message: /has no image in it/,
  },
  'a name that is none': {
    archive: () => asTar(dockerWith({ RepoTags: ['../../x:1'] })),
    code: 'invalid',
    message: /is not an image name/,
  },
  'more layers in the configuration than in manifest.json': {
    archive: () => asTar(dockerWith({ Layers: [layerPath] })),
    code: 'integrity',
    message: /names 2 layers, its manifest 1/,
  },
  'two thousand and one layers': {
    archive: () =>
      asTar(
        dockerArchive(
          Array.from({ length: 2001 }, () => Buffer.alloc(0)),
          ['app'],
        ),
      ),
    code: 'limit',
    message: /has 2001 layers/,
  },
  'a DiffID that is a path': {
    archive: () => {
      const config = Buffer.from(
        configOf([layer])
          .toString()
          .replace(/sha256:[0-9a-f]{64}/, 'sha256:../../../x'),
      );
      return asTar(dockerArchive([layer], ['app'], config));
    },
    code: 'invalid',
    message: /rootfs.diff_ids\[0\]' is not a sha256 digest/,
  },
  'an archive that ends too early': {
    archive: async () => {
      const path = await asTar(docker());
      truncateSync(path, 3000);
      return path;
    },
    code: 'integrity',
    message: /the archive ends/,
  },
  'a compressed archive that ends too early': {
    archive: async () => {
      const path = await asTar(docker());
      writeFileSync(path, gzipSync(readFileSync(path)).subarray(0, -100));
      return path;
    },
    code: 'integrity',
    message: /cannot decompress/,
  },
  'a compressed archive that is a bomb': {
    archive: async () => {
      const path = await asTar(new Map([['zeros', Buffer.alloc(300 << 20)]]));
      execFileSync('gzip', ['-1', path]);
      return `${path}.gz`;
    },
    code: 'limit',
    message: /compressed more than 10 times/,
    options: { limits: { maxRatio: 10 } },
  },
  'a layer with more files than the limit': {
    archive: () => asTar(docker()),
    code: 'limit',
    message: /more than 1 entries/,
    options: { limits: { maxEntries: 1 } },
  },
  'a layer that climbs out': {
    archive: async () => asTar(dockerArchive([layer, await layerOf({ '../../evil': 'x' })], ['app'])),
    code: 'integrity',
    message: /layer sha256:[0-9a-f]{64}: tar entry '..\/..\/evil'.*'..'/,
  },
  'a blob that is not what its digest says': {
    archive: () => asTar(layout((files) => files.set(blobName(packed), lie(packed)))),
    code: 'integrity',
    message: new RegExp(`layer ${digestOf(packed)}`),
  },
  'a blob of another size': {
    archive: () => asTar(layout((files) => files.set(blobName(packed), Buffer.concat([packed, Buffer.alloc(1)])))),
    code: 'integrity',
    message: /has \d+ bytes, not the announced \d+/,
  },
  'a blob with something after its end': {
    archive: () => asTar(layoutWith(({ layers: [first] }) => ({ layers: [{ ...first, size: packed.length - 1 }] }))),
    code: 'integrity',
    message: /bytes, not the announced/,
  },
  'a manifest that is not what its digest says': {
    archive: () => {
      const files = layout();
      const [entry] = (JSON.parse(files.get('index.json')?.toString() ?? '') as { manifests: { digest: string }[] })
        .manifests;
      const name = `blobs/${entry?.digest.replace(':', '/') ?? ''}`;
      return asTar(files.set(name, lie(files.get(name) ?? packed)));
    },
    code: 'integrity',
    message: /manifest sha256:[0-9a-f]{64} in .* has another digest/,
  },
  'a manifest that is missing': {
    archive: () => asTar(finishLayout(new Map(), [{ mediaType: MediaTypes.manifest, digest: digestOf('x'), size: 1 }])),
    code: 'not-found',
    message: /manifest sha256:[0-9a-f]{64} is not in/,
  },
  'a layer that is missing': {
    archive: () => asTar(layout((files) => void files.delete(blobName(packed)))),
    code: 'not-found',
    message: /layer sha256:[0-9a-f]{64} is not in/,
  },
  'a layer of an unknown kind': {
    archive: () =>
      asTar(
        layoutWith(({ layers: [first] }) => ({
          layers: [{ ...first, mediaType: `${MediaTypes.layerGzip}+encrypted` }],
        })),
      ),
    code: 'unsupported',
    message: /tar\+gzip\+encrypted' is not a kind of layer/,
  },
  'a digest of another algorithm': {
    archive: () =>
      asTar(
        layoutWith(({ layers: [first] }) => ({
          layers: [{ ...first, digest: 'md5:d41d8cd98f00b204e9800998ecf8427e' }],
        })),
      ),
    code: 'invalid',
    message: /layers\[0\].digest' is not a sha256 digest/,
  },
  'indexes in indexes': { archive: () => asTar(deep()), code: 'limit', message: /nested more than 4 deep/ },
  'an artifact and nothing else': {
    archive: () => asTar(layoutWith(({ config }) => ({ config: { ...config, mediaType: MediaTypes.empty } }))),
    code: 'invalid',
    message: /has no image in it/,
  },
  'a layout of a later version': {
    archive: () => asTar(layout((files) => files.set('oci-layout', Buffer.from('{"imageLayoutVersion":"2.0.0"}')))),
    code: 'unsupported',
    message: /version 2.0.0/,
  },
  'a directory in which a blob is a symlink': {
    archive: () =>
      inDirectory(layout(), (root) => {
        unlinkSync(join(root, blobName(packed)));
        symlinkSync('/etc/passwd', join(root, blobName(packed)));
      }),
    code: 'integrity',
    message: /leads through a symlink/,
  },
  'a directory in which all blobs are behind a symlink': {
    archive: () =>
      inDirectory(layout(), (root) => {
        renameSync(join(root, 'blobs'), join(root, 'elsewhere'));
        symlinkSync('elsewhere', join(root, 'blobs'));
      }),
    code: 'integrity',
    message: /leads through a symlink/,
  },
  'a directory in which a blob is a pipe': {
    archive: () =>
      inDirectory(layout(), (root) => {
        unlinkSync(join(root, blobName(packed)));
        execFileSync('mkfifo', [join(root, blobName(packed))]);
      }),
    code: 'integrity',
    message: /is not a regular file/,
  },
};

test.each(Object.entries(HOSTILE))('should-fail: %s', async (_what, { archive, code, message, options }) => {
  const store = temporaryStore();
  const path = await archive();
  const failure = expect.objectContaining({ code, message: expect.stringMatching(message) as unknown }) as unknown;
  await expect(loadImages(store, { path }, options)).rejects.toEqual(failure);
  for (const place of ['layers', 'staging', 'blobs/sha256']) expect(readdirSync(join(store.root, place))).toEqual([]);
  expect(store.images.list()).toEqual([]);
  expect(store.check()).toEqual([]);
});

test('an image that is whole stays when the next one of the archive is not', async () => {
  const good = dockerArchive([layer], ['good']);
  const bad = dockerArchive([layer, other], ['bad']);
  const manifest = [good, bad].flatMap((files) => JSON.parse(files.get('manifest.json')?.toString() ?? '') as object[]);
  const files: Files = new Map([...good, ...bad, ['manifest.json', Buffer.from(JSON.stringify(manifest))]]);
  const last = [...bad.keys()].filter((name) => name.endsWith('layer.tar')).at(-1) ?? '';
  const path = await asTar(files.set(last, await layerOf({ something: 'else' })));
  const store = temporaryStore();
  await expect(loadImages(store, { path })).rejects.toMatchObject({ code: 'integrity' });
  expect(store.images.list().map(({ references }) => references)).toEqual([['docker.io/library/good:latest']]);
  expect(readdirSync(join(store.root, 'layers'))).toHaveLength(1);
  expect(store.check()).toEqual([]);
});

test('nothing is unpacked for an image of which a layer is missing', async () => {
  const path = await asTar(dockerWith({ Layers: [layerPath, 'nonesuch'] }));
  const phases = new Set<string>();
  const loading = loadImages(temporaryStore(), { path }, { onProgress: ({ phase }) => phases.add(phase) });
  await expect(loading).rejects.toThrow("the layer 'nonesuch' is not in");
  expect([...phases]).not.toContain('unpacking');
});
