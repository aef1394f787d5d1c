// What can be wrong with images and with the blobs they need.

import { readdirSync } from 'node:fs';
import { VeneerError, digestHex, hasCode, messageOf, shortDigest } from '../core/index.js';
import type { Digest } from '../core/index.js';
import { chainIds } from '../image/index.js';
import type { Finding } from './finding.js';
import type { Image } from './image-rows.js';
import type { StoreParts } from './parts.js';

export function checkImages(parts: StoreParts): Finding[] {
  return parts.images.list({ all: true }).flatMap((image) => checkConfig(parts, image));
}

function checkConfig({ images }: StoreParts, { id, layers }: Image): Finding[] {
  const name = shortDigest(id);
  const found = (kind: Finding['kind'], message: string): Finding[] => [{ kind, object: id, message }];
  try {
    const expected = chainIds(images.config(id).rootfs.diff_ids);
    if (expected.join() === layers.join()) return [];
    return found('image-inconsistent', `image ${name} has other layers than recorded`);
  } catch (error) {
    if (!(error instanceof VeneerError)) throw error;
    if (hasCode(error, 'not-found')) return found('blob-missing', `the configuration of image ${name} is missing`);
    return found('blob-damaged', `the configuration of image ${name}: ${messageOf(error)}`);
  }
}

/** Manifests and what they name, by size; and blobs nothing needs. */
export function checkBlobs({ images, content, paths }: StoreParts): Finding[] {
  const names = readdirSync(paths.blobs);
  const extra = images.unneededBlobs(names.map((name) => `sha256:${name}` as Digest));
  const seen = new Set<Digest>();
  const findings = images.allManifests().flatMap(({ digest: manifest, size: own, image, layers }) =>
    [{ digest: manifest, size: own }, ...layers].flatMap(({ digest, size }): Finding[] => {
      if (seen.has(digest)) return [];
      seen.add(digest);
      const what = digest === manifest ? 'the manifest' : `blob ${shortDigest(digest)}`;
      const of = `${what} of image ${shortDigest(image)}`;
      if (!content.has(digest)) return [{ kind: 'blob-missing', object: digest, message: `${of} is missing` }];
      const actual = content.size(digest);
      if (actual === size) return [];
      const message = `${of} has ${String(actual)} bytes, not ${String(size)}`;
      return [{ kind: 'blob-damaged', object: digest, message }];
    }),
  );
  return [
    ...findings,
    ...extra.map((digest): Finding => ({
      kind: 'blob-extra',
      object: digestHex(digest),
      message: `nothing refers to 'blobs/sha256/${digestHex(digest)}'`,
    })),
  ];
}
