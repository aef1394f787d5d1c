// The lines of `veneer images`.

import { formatSize, shortDigest } from '../core/index.js';
import { familiarName, parseReference } from '../image/index.js';
import type { Image, Store } from '../store/index.js';
import type { Row } from './output.js';
import { ago, timestamp } from './time.js';

const NONE = '<none>';
const UNKNOWN = 'N/A';

export interface ImageRowOptions {
  readonly trunc: boolean;
  /** A line for each digest a name has, instead of one for the name. */
  readonly digests: boolean;
  readonly usage?: ReadonlyMap<string, ImageUsage> | undefined;
}

/** What an image has in common with others. */
export interface ImageUsage {
  /** Bytes in layers that other images have, too. */
  readonly shared: number;
  readonly containers: number;
}

/** Of all images of the store, in a few queries. */
export function imageUsage(store: Store, images: readonly Image[]): ReadonlyMap<string, ImageUsage> {
  const sizes = new Map(store.layers.list().map(({ chainId, size }) => [chainId, size]));
  const users = new Map<string, number>();
  for (const { layers } of images) for (const layer of layers) users.set(layer, (users.get(layer) ?? 0) + 1);
  const containers = new Map<string, number>();
  for (const { image } of store.containers.list()) containers.set(image, (containers.get(image) ?? 0) + 1);
  return new Map(
    images.map(({ id, layers }) => {
      const shared = layers.filter((layer) => (users.get(layer) ?? 0) > 1);
      return [
        id,
        {
          shared: shared.reduce((sum, layer) => sum + (sizes.get(layer) ?? 0), 0),
          containers: containers.get(id) ?? 0,
        },
      ];
    }),
  );
}

interface Name {
  readonly Repository: string;
  readonly Tag: string;
  readonly Digest: string;
}

/** docker's lines: one per tag; digests beside the tags of their repository, and on lines of their own without one. */
function namesOf({ references, digests }: Image, showsDigests: boolean): Name[] {
  const byRepository = new Map<string, string[]>();
  for (const canonical of digests) {
    const reference = parseReference(canonical);
    const repository = familiarName(reference);
    byRepository.set(repository, [...(byRepository.get(repository) ?? []), reference.digest ?? NONE]);
  }
  const tagged = references.map((canonical) => {
    const reference = parseReference(canonical);
    return { Repository: familiarName(reference), Tag: reference.tag ?? NONE };
  });
  const withTags = tagged.flatMap((name) => {
    const known = showsDigests ? byRepository.get(name.Repository) : undefined;
    return (known ?? [NONE]).map((Digest) => ({ ...name, Digest }));
  });
  const repositories = new Set(tagged.map(({ Repository }) => Repository));
  const untagged = [...byRepository]
    .filter(([repository]) => !repositories.has(repository))
    .flatMap(([Repository, known]) =>
      (showsDigests ? known : [NONE]).map((Digest) => ({ Repository, Tag: NONE, Digest })),
    );
  const names = [...withTags, ...untagged];
  return names.length === 0 ? [{ Repository: NONE, Tag: NONE, Digest: NONE }] : names;
}

/** The rows of one image: at least one. */
export function imageRows(image: Image, { trunc, digests, usage }: ImageRowOptions): Row[] {
  const used = usage?.get(image.id);
  return namesOf(image, digests).map((name) => ({
    Containers: used === undefined ? UNKNOWN : String(used.containers),
    // Made when it is asked for: the first name of a time zone takes longer than a small store's whole list.
    get CreatedAt() {
      return timestamp(image.created);
    },
    CreatedSince: ago(image.created),
    Digest: name.Digest,
    ID: trunc ? shortDigest(image.id) : image.id,
    Repository: name.Repository,
    SharedSize: used === undefined ? UNKNOWN : formatSize(used.shared),
    Size: formatSize(image.size),
    Tag: name.Tag,
    UniqueSize: used === undefined ? UNKNOWN : formatSize(image.size - used.shared),
    VirtualSize: formatSize(image.size),
  }));
}
