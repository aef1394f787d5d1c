// What `save` is asked for, read as `docker save` reads it.

import { formatReference, isNameOnly, parseReference } from '../image/index.js';
import { parseTaggedName } from '../store/index.js';
import type { Image, Store, TaggedName } from '../store/index.js';

export interface SelectedImage {
  readonly image: Image;
  /** The names to save it under; none for one that was asked for by its ID. */
  readonly names: readonly TaggedName[];
}

/** The tags of a repository, with their images, in the order of the tags. */
function allTags(store: Store, text: string): { image: Image; name: TaggedName }[] {
  const wanted = parseReference(text);
  const prefix = `${wanted.registry}/${wanted.repository}:`;
  return store.images
    .list()
    .flatMap((image) =>
      image.references.filter((it) => it.startsWith(prefix)).map((it) => ({ image, name: parseTaggedName(it) })),
    )
    .sort((a, b) => (a.name.tag < b.name.tag ? -1 : 1));
}

function select(store: Store, text: string): { image: Image; name: TaggedName | undefined }[] {
  const isId = /^(?:sha256:)?[0-9a-f]{64}$/.test(text);
  // A name without a tag stands for all tags of the repository.
  if (!isId && isNameOnly(text)) {
    const tags = allTags(store, text);
    if (tags.length > 0) return tags;
  }
  const image = store.images.resolve(text);
  if (isId) return [{ image, name: undefined }];
  const reference = parseReference(text);
  const isTag = reference.digest === undefined && image.references.includes(formatReference(reference));
  return [{ image, name: isTag ? parseTaggedName(text) : undefined }];
}

/** Each image once, in the order of asking. Throws `not-found`, `invalid`. */
export function selectImages(store: Store, texts: readonly string[]): SelectedImage[] {
  const selected = new Map<string, { image: Image; names: Map<string, TaggedName> }>();
  for (const text of texts) {
    for (const { image, name } of select(store, text)) {
      const entry = selected.get(image.id) ?? { image, names: new Map<string, TaggedName>() };
      selected.set(image.id, entry);
      if (name !== undefined) entry.names.set(formatReference(name), name);
    }
  }
  return [...selected.values()].map(({ image, names }) => ({ image, names: [...names.values()] }));
}
