// Archives of images made by hand: as Docker, BuildKit, skopeo and others write them, or as nobody should.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { digestHex, digestOf } from '../../../src/core/index.js';
import type { TarEntry } from '../../../src/layer/index.js';
import { hostPlatform, MediaTypes } from '../../../src/image/index.js';
import type { Platform } from '../../../src/image/index.js';
import { entry, pack } from '../layer/support.js';
import { temporaryDirectory } from '../store/fixture.js';

/** Path -> content. */
export type Files = Map<string, Buffer>;

export interface Link {
  readonly type: 'symlink' | 'hardlink';
  readonly target: string;
}

/** A layer's tar: path -> content. */
export function layerOf(files: Readonly<Record<string, string>>, fields: Partial<TarEntry> = {}): Promise<Buffer> {
  return pack(
    Object.entries(files).map(([path, content]) =>
      path.endsWith('/') ? entry(path, { type: 'directory', mode: 0o755 }) : { ...entry(path, fields), content },
    ),
  );
}

export function configOf(layers: readonly Buffer[], fields: object = {}): Buffer {
  return Buffer.from(
    JSON.stringify({
      created: '2026-01-02T03:04:05.123456789Z',
      ...hostPlatform(),
      config: { Cmd: ['sh'] },
      rootfs: { type: 'layers', diff_ids: layers.map(digestOf) },
      history: layers.map((_, index) => ({ created_by: `step ${String(index)}` })),
      'x-unknown': { kept: true },
      ...fields,
    }),
  );
}

export interface BlobFields {
  readonly mediaType: string;
  readonly annotations?: object;
  readonly platform?: object;
  readonly artifactType?: string;
}

export function blobOf(files: Files, bytes: Buffer, fields: BlobFields): object {
  files.set(`blobs/sha256/${digestHex(digestOf(bytes))}`, bytes);
  return { ...fields, digest: digestOf(bytes), size: bytes.length };
}

export interface OciImage {
  /** Uncompressed tars. */
  readonly layers: readonly Buffer[];
  readonly compress?: (tar: Buffer) => Buffer;
  readonly layerType?: string;
  readonly config?: Buffer;
  readonly annotations?: object;
  readonly platform?: Platform;
}

/** Adds an image's blobs and returns the descriptor of its manifest. */
export function addOciImage(files: Files, image: OciImage): object {
  const {
    layers,
    compress = (tar) => gzipSync(tar as Uint8Array),
    layerType = MediaTypes.layerGzip,
    annotations,
    platform,
  } = image;
  const config = image.config ?? configOf(layers, platform ?? {});
  const manifest = {
    schemaVersion: 2,
    mediaType: MediaTypes.manifest,
    config: blobOf(files, config, { mediaType: MediaTypes.config }),
    layers: layers.map((tar) => blobOf(files, compress(tar), { mediaType: layerType })),
    annotations: { 'test.origin': 'by hand' },
  };
  return blobOf(files, Buffer.from(JSON.stringify(manifest, null, 2)), {
    mediaType: MediaTypes.manifest,
    ...(annotations === undefined ? {} : { annotations }),
    ...(platform === undefined ? {} : { platform }),
  });
}

export function addIndex(files: Files, manifests: readonly object[], annotations?: object): object {
  const index = { schemaVersion: 2, mediaType: MediaTypes.index, manifests };
  return blobOf(files, Buffer.from(JSON.stringify(index)), {
    mediaType: MediaTypes.index,
    ...(annotations === undefined ? {} : { annotations }),
  });
}

/** Makes a layout of what has been added. */
export function finishLayout(files: Files, manifests: readonly object[]): Files {
  files.set('oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}'));
  files.set('index.json', Buffer.from(JSON.stringify({ schemaVersion: 2, manifests })));
  return files;
}

/** A docker archive as Docker 1.10 to 24 wrote it: a directory for each layer. */
export function dockerArchive(layers: readonly Buffer[], tags: readonly string[], config = configOf(layers)): Files {
  const files: Files = new Map();
  const id = digestHex(digestOf(config));
  const names = layers.map((tar, index) => `${digestHex(digestOf(`${String(index)}${digestOf(tar)}`))}/layer.tar`);
  names.forEach((name, index) => {
    files.set(name.replace('layer.tar', 'VERSION'), Buffer.from('1.0'));
    files.set(name.replace('layer.tar', 'json'), Buffer.from('{"id":"x"}'));
    files.set(name, layers[index] ?? Buffer.alloc(0));
  });
  files.set(`${id}.json`, config);
  files.set('manifest.json', Buffer.from(JSON.stringify([{ Config: `${id}.json`, RepoTags: tags, Layers: names }])));
  files.set('repositories', Buffer.from('{}'));
  return files;
}

export async function asTar(files: Files, links: Readonly<Record<string, Link>> = {}): Promise<string> {
  const path = join(temporaryDirectory(), 'archive.tar');
  const plain = [...files].filter(([name]) => links[name] === undefined);
  const bytes = await pack([
    ...plain.map(([name, content]) => ({ ...entry(name), content: content.toString('latin1') })),
    ...Object.entries(links).map(([name, { type, target }]) => entry(name, { type, linkTarget: target })),
  ]);
  writeFileSync(path, bytes);
  return path;
}

export function asDirectory(files: Files, name = 'layout'): string {
  const root = join(temporaryDirectory(), name);
  for (const [path, content] of files) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return root;
}

/** A file's bytes as a stream, in pieces of odd sizes. */
export async function* streamOf(path: string): AsyncGenerator<Buffer> {
  const bytes = readFileSync(path);
  for (let at = 0; at < bytes.length; at += 70_001) yield await Promise.resolve(bytes.subarray(at, at + 70_001));
}
