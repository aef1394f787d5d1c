// Makes a damaged store one that works: leftovers go, what was begun is finished, and what cannot be served any more is
// forgotten, with a word on what was lost.

import { shortDigest } from '../core/index.js';
import type { Digest } from '../core/index.js';
import { chainIds, familiarReference, parseReference } from '../image/index.js';
import type { ChainId } from '../image/index.js';
import { checkStore } from './check.js';
import type { Finding, FindingKind } from './finding.js';
import type { Image } from './image-rows.js';
import type { StoreParts } from './parts.js';
import { pruneStore } from './prune.js';
import type { Pruned } from './prune.js';

/** Something that was forgotten because a part of it is gone. */
export interface Loss {
  readonly kind: 'image' | 'manifest' | 'skeleton';
  readonly object: Digest;
  /** A sentence without a full stop. */
  readonly message: string;
}

export interface Repaired {
  readonly lost: readonly Loss[];
  /** The leftovers that went. */
  readonly removed: Pruned;
  /** What is still wrong, because a container needs it or because nothing can be done. */
  readonly remaining: readonly Finding[];
}

/**
 * Repairs what `check` finds, and what of a deep check's findings is given. Images whose configuration or layers are gone are
 * forgotten, unless a container or a mount needs them; manifests whose blobs are gone, without their image. Containers are
 * never removed. Nothing that is sound is touched.
 */
export function repairStore(parts: StoreParts, found: readonly Finding[] = []): Repaired {
  const lost = parts.lock.exclusively(() => {
    parts.containers.recoverAbandoned();
    parts.leases.dropStale();
    const findings = [...checkStore(parts), ...found];
    if (findings.some(({ kind }) => kind === 'database')) rebuildIndexes(parts);
    return new Repair(parts, findings).run();
  });
  return { lost, removed: pruneStore(parts), remaining: checkStore(parts) };
}

/** An index that disagrees with its table is the one damage of a database that can be undone. */
function rebuildIndexes({ database }: StoreParts): void {
  database.transact(() => database.sql.exec('REINDEX'));
}

class Repair {
  readonly #parts: StoreParts;
  readonly #findings: readonly Finding[];
  readonly #lost: Loss[] = [];

  constructor(parts: StoreParts, findings: readonly Finding[]) {
    this.#parts = parts;
    this.#findings = findings;
  }

  #objects(...kinds: FindingKind[]): Set<string> {
    return new Set(this.#findings.filter(({ kind }) => kinds.includes(kind)).map(({ object }) => object));
  }

  run(): Loss[] {
    this.#correctLayers();
    this.#forgetSkeletons();
    this.#forgetImages();
    this.#forgetManifests();
    return this.#lost;
  }

  /** The configuration, whose digest is right, decides over the rows. */
  #correctLayers(): void {
    const { images, layers } = this.#parts;
    for (const id of this.#objects('image-inconsistent') as Set<Digest>) {
      const expected = chainIds(images.config(id).rootfs.diff_ids);
      if (expected.every((layer) => layers.find(layer) !== undefined)) images.setLayers(id, expected);
      else this.#forgetImage(images.get(id), 'a layer of it is not in the store');
    }
  }

  #forgetSkeletons(): void {
    for (const id of this.#objects('skeleton-missing') as Set<ChainId>) {
      this.#parts.layers.forgetTar(id);
      const message = `layer ${shortDigest(id)} is complete, but its tar may have other bytes than the one it came from`;
      this.#lost.push({ kind: 'skeleton', object: id, message });
    }
  }

  #forgetImages(): void {
    const blobs = this.#objects('blob-missing', 'blob-damaged');
    const layers = this.#objects('layer-missing');
    for (const image of this.#parts.images.list({ all: true })) {
      const layer = image.layers.find((id) => layers.has(id));
      if (blobs.has(image.id)) this.#forgetImage(image, 'its configuration is lost');
      else if (layer !== undefined) this.#forgetImage(image, `layer ${shortDigest(layer)} of it is lost`);
    }
  }

  #forgetImage(image: Image, why: string): void {
    const { images } = this.#parts;
    if (images.isUsed(image.id)) return;
    images.forget([image]);
    const names = [...image.references, ...image.digests].map((name) => familiarReference(parseReference(name)));
    const called = names.length === 0 ? '' : ` (${names.join(', ')})`;
    const message = `image ${shortDigest(image.id)}${called} is forgotten: ${why}`;
    this.#lost.push({ kind: 'image', object: image.id, message });
  }

  #forgetManifests(): void {
    const { images, content } = this.#parts;
    const blobs = this.#objects('blob-missing', 'blob-damaged');
    for (const { digest, image, layers } of images.allManifests()) {
      const missing = [digest, ...layers.map((layer) => layer.digest)].find((blob) => blobs.has(blob));
      if (missing === undefined) continue;
      images.forgetManifest(digest);
      const what = missing === digest ? 'it' : `blob ${shortDigest(missing)}`;
      const message = `manifest ${shortDigest(digest)} of image ${shortDigest(image)} is forgotten: ${what} is lost`;
      this.#lost.push({ kind: 'manifest', object: digest, message });
    }
    // What nothing refers to by now. A damaged one that a living process has taken in stays: it would not be damaged.
    content.removeAll(images.unneededBlobs([...(blobs as Set<Digest>)]));
  }
}
