// The rows of manifests: which blobs an image can be given back with, byte for byte.

import type { Digest } from '../core/index.js';
import type { Sql } from './database.js';
import { groupBy } from './group-by.js';

export interface ManifestLayer {
  readonly digest: Digest;
  /** Of the blob, in bytes. */
  readonly size: number;
}

/** A manifest of an image, as it came. It is a blob itself. */
export interface ImageManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  /** Of the manifest, in bytes. */
  readonly size: number;
  /** Those that are compressed, which are blobs, bottom first. */
  readonly layers: readonly ManifestLayer[];
}

export interface RecordedManifest extends ImageManifest {
  readonly image: Digest;
}

interface ManifestRow {
  readonly image: Digest;
  readonly digest: Digest;
  readonly media_type: string;
  readonly size: number;
}

/** The configuration of an image, its manifests, and the blobs they name. */
const BLOBS_OF_IMAGE = `SELECT :image AS blob
  UNION SELECT digest FROM manifests WHERE image = :image
  UNION SELECT blob FROM manifest_blobs JOIN manifests ON digest = manifest WHERE image = :image`;

/** What nothing needs: no image as its configuration, as a manifest or by one, and no lease. */
const UNNEEDED = `value NOT IN (SELECT id FROM images)
  AND value NOT IN (SELECT digest FROM manifests)
  AND value NOT IN (SELECT blob FROM manifest_blobs)
  AND value NOT IN (SELECT object FROM leases WHERE kind = 'blob')`;

export class ManifestRows {
  readonly #statements;

  constructor(sql: Sql) {
    this.#statements = {
      of: sql.prepare<[string], ManifestRow>('SELECT * FROM manifests WHERE image = ? ORDER BY added DESC, digest'),
      list: sql.prepare<[], ManifestRow>('SELECT * FROM manifests ORDER BY image, added DESC, digest'),
      allLayers: sql.prepare<[], ManifestLayer & { manifest: Digest }>(
        'SELECT manifest, blob AS digest, size FROM manifest_blobs ORDER BY manifest, position',
      ),
      remove: sql.prepare<[string]>('DELETE FROM manifests WHERE digest = ?'),
      layers: sql.prepare<[string], ManifestLayer>(
        'SELECT blob AS digest, size FROM manifest_blobs WHERE manifest = ? ORDER BY position',
      ),
      insert: sql.prepare<[string, Digest, string, number, number]>(
        'INSERT OR IGNORE INTO manifests VALUES (?, ?, ?, ?, ?)',
      ),
      insertLayer: sql.prepare<[string, number, string, number]>('INSERT INTO manifest_blobs VALUES (?, ?, ?, ?)'),
      blobs: sql.prepare<[{ image: string }], Digest>(BLOBS_OF_IMAGE).pluck(),
      unneeded: sql.prepare<[string], Digest>(`SELECT value FROM json_each(?) WHERE ${UNNEEDED}`).pluck(),
    };
  }

  /** The manifests of an image, newest first. */
  of(image: Digest): ImageManifest[] {
    return this.#statements.of.all(image).map((row) => toManifest(row, this.#statements.layers.all(row.digest)));
  }

  /** All manifests, by image. */
  list(): RecordedManifest[] {
    const layers = groupBy(this.#statements.allLayers.all(), ({ manifest }) => manifest);
    return this.#statements.list.all().map((row) => {
      const own = (layers.get(row.digest) ?? []).map(({ digest, size }) => ({ digest, size }));
      return { ...toManifest(row, own), image: row.image };
    });
  }

  remove(digest: Digest): void {
    this.#statements.remove.run(digest);
  }

  insert(image: Digest, { digest, mediaType, size, layers }: ImageManifest): void {
    const { changes } = this.#statements.insert.run(digest, image, mediaType, size, Date.now());
    if (changes === 0) return;
    layers.forEach((layer, position) => this.#statements.insertLayer.run(digest, position, layer.digest, layer.size));
  }

  /** All blobs an image needs. */
  blobs(image: Digest): Digest[] {
    return this.#statements.blobs.all({ image });
  }

  /** Those of the given blobs that nothing needs. Ask under the store's lock. */
  unneeded(blobs: readonly Digest[]): Digest[] {
    return this.#statements.unneeded.all(JSON.stringify(blobs));
  }
}

function toManifest({ digest, media_type, size }: ManifestRow, layers: readonly ManifestLayer[]): ImageManifest {
  return { digest, mediaType: media_type, size, layers };
}
