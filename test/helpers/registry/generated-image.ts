// Images with known content, made without the code that is tested: the same options give the same bytes.

import { createCipheriv, createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { Digest } from '../../../src/core/index.js';

export interface GeneratedBlob {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Buffer;
}

export interface GeneratedImage {
  readonly manifest: GeneratedBlob;
  readonly config: GeneratedBlob;
  /** Bottom first, as they are transferred. */
  readonly layers: readonly GeneratedBlob[];
  readonly diffIds: readonly Digest[];
  /** Path -> content of all that is shown when the layers lie on each other. */
  readonly files: Readonly<Record<string, Buffer>>;
}

export interface GeneratedImageOptions {
  /** Default 3. */
  readonly layers?: number;
  /** Of content in each layer, in bytes, which gzip cannot make smaller; default 64 KiB. */
  readonly size?: number;
  /** Another seed, other content. */
  readonly seed?: string;
  readonly format?: 'oci' | 'docker';
  readonly architecture?: string;
}

const OCI = 'application/vnd.oci.image';
const DOCKER = 'application/vnd.docker';
export const MEDIA_TYPES = {
  oci: {
    manifest: `${OCI}.manifest.v1+json`,
    config: `${OCI}.config.v1+json`,
    layer: `${OCI}.layer.v1.tar+gzip`,
    index: `${OCI}.index.v1+json`,
  },
  docker: {
    manifest: `${DOCKER}.distribution.manifest.v2+json`,
    config: `${DOCKER}.container.image.v1+json`,
    layer: `${DOCKER}.image.rootfs.diff.tar.gzip`,
    index: `${DOCKER}.distribution.manifest.list.v2+json`,
  },
} as const;

export const sha256 = (bytes: Uint8Array | string): Digest =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;

/** Bytes that no compressor makes smaller. */
export function noise(seed: string, length: number): Buffer {
  const key = createHash('sha256').update(seed).digest().subarray(0, 16);
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length));
}

const BLOCK = 512;

function tarHeader(name: string, size: number, type: '0' | '5'): Buffer {
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, '0')}\0`;
  header.write(name, 0, 100, 'latin1');
  header.write(octal(type === '5' ? 0o755 : 0o644, 7), 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  header.write(octal(size, 11), 124);
  header.write(octal(1_700_000_000, 11), 136);
  header.write('        ', 148);
  header.write(type, 156);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

/** A ustar archive of regular files; a name that ends in `/` is a directory. */
export function tarOf(files: Readonly<Record<string, Uint8Array | string>>): Buffer {
  const parts = Object.entries(files).flatMap(([name, content]) => {
    if (name.endsWith('/')) return [tarHeader(name, 0, '5')];
    const bytes = Buffer.from(content);
    return [tarHeader(name, bytes.length, '0'), bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

const blob = (mediaType: string, bytes: Buffer): GeneratedBlob => ({ digest: sha256(bytes), mediaType, bytes });
const json = (mediaType: string, value: unknown): GeneratedBlob => blob(mediaType, Buffer.from(JSON.stringify(value)));
export const descriptor = ({ mediaType, digest, bytes }: GeneratedBlob): object => ({
  mediaType,
  digest,
  size: bytes.length,
});

/** Each layer has a file of its own in `layers/` and writes over `top`. */
export function generateImage(options: GeneratedImageOptions = {}): GeneratedImage {
  const { layers: count = 3, size = 64 << 10, seed = 'image', format = 'oci', architecture = 'amd64' } = options;
  const types = MEDIA_TYPES[format];
  const files: Record<string, Buffer> = {};
  const tars = Array.from({ length: count }, (_, index) => {
    const name = `layers/${String(index)}`;
    files[name] = noise(`${seed} ${String(index)}`, size);
    files['top'] = Buffer.from(`layer ${String(index)} of ${seed}\n`);
    return tarOf({ 'layers/': '', [name]: files[name], top: files['top'] });
  });
  const layers = tars.map((tar) => blob(types.layer, gzipSync(tar, { level: 1 })));
  const diffIds = tars.map(sha256);
  const config = json(types.config, {
    architecture,
    os: 'linux',
    created: '2024-01-02T03:04:05Z',
    config: { Env: ['PATH=/bin'], Cmd: ['/bin/true'], Labels: { seed } },
    rootfs: { type: 'layers', diff_ids: diffIds },
    history: layers.map((_, index) => ({ created: '2024-01-02T03:04:05Z', created_by: `step ${String(index)}` })),
  });
  const manifest = json(types.manifest, {
    schemaVersion: 2,
    mediaType: types.manifest,
    config: descriptor(config),
    layers: layers.map(descriptor),
  });
  return { manifest, config, layers, diffIds, files };
}

/** An index of images, by architecture. */
export function generateIndex(
  images: Readonly<Record<string, GeneratedImage>>,
  format: 'oci' | 'docker' = 'oci',
): GeneratedBlob {
  return json(MEDIA_TYPES[format].index, {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES[format].index,
    manifests: Object.entries(images).map(([architecture, { manifest }]) => ({
      ...descriptor(manifest),
      platform: { architecture, os: 'linux' },
    })),
  });
}

export interface ImageContent {
  readonly images: readonly GeneratedImage[];
  /** Indexes. */
  readonly blobs?: readonly GeneratedBlob[];
  /** Tag -> manifest or index. */
  readonly tags: Readonly<Record<string, GeneratedBlob>>;
}
