// The annotations by which an index says how its images are called.

import type { Descriptor } from './descriptor.js';
import { formatReference, parseReference } from './reference.js';
import type { Reference } from './reference.js';

/** OCI image spec, annotations.md: a tag, or, as some tools write it, a whole name. */
export const REF_NAME = 'org.opencontainers.image.ref.name';
/** containerd's and Docker's: the whole name. */
export const IMAGE_NAME = 'io.containerd.image.name';

/** What an index says of an image's name. */
export interface AnnotatedName {
  /** The whole name, where there is one. */
  readonly reference?: Reference;
  /** The text of the `ref.name` annotation: what selects an image in a layout. */
  readonly ref?: string;
}

/** Without tag and digest a word is a tag; with either, or a path, it is a name. */
function asReference(text: string | undefined): Reference | undefined {
  if (text === undefined || !/[/:@]/.test(text)) return undefined;
  try {
    return parseReference(text);
  } catch {
    return undefined;
  }
}

/**
 * Names that are no valid image names are no reason to refuse the image: they are left out. So is a whole name whose tag the
 * `ref.name` contradicts: umoci copies the annotations of the image that it started from, and sets that one only.
 */
export function annotatedName(descriptor: Descriptor): AnnotatedName {
  const ref = descriptor.annotations?.[REF_NAME];
  const whole = asReference(descriptor.annotations?.[IMAGE_NAME]);
  const byRef = asReference(ref);
  const isStale = ref !== undefined && byRef === undefined && whole?.tag !== ref;
  const reference = isStale ? undefined : (whole ?? byRef);
  return { ...(reference === undefined ? {} : { reference }), ...(ref === undefined ? {} : { ref }) };
}

/** The annotations for a name, as Docker writes them. */
export function nameAnnotations(name: Reference & { readonly tag: string }): Record<string, string> {
  return { [IMAGE_NAME]: formatReference(name), [REF_NAME]: name.tag };
}
