// The images of an archive, whatever kind it is of: docker's, an OCI layout, or both at once.

import { posix } from 'node:path';
import { displayBytes, hasCode, toByteString, VeneerError } from '../core/index.js';
import { formatReference, parseReference } from '../image/index.js';
import type { Platform } from '../image/index.js';
import type { Archive } from './archive.js';
import { tryTaggedName } from './archive-image.js';
import type { ArchiveImage } from './archive-image.js';
import { isAncient, readDockerImages } from './docker-images.js';
import { checkPlatform, isLayout, readOciImages } from './oci-images.js';

export interface ReadImagesOptions {
  readonly platform?: Platform | undefined;
  /** Only this image: a `ref.name` of the layout, a name, or the start of an ID. */
  readonly reference?: string | undefined;
  /** The file or directory, for images that only have a tag: `dir:tag` is what they are called then. */
  readonly path?: string | undefined;
}

/**
 * The images of an archive, each once, with all its names.
 *
 * Errors: `invalid` for what is no archive of images, `not-found` for a missing part, platform or reference, `integrity`, `limit`,
 * `unsupported`.
 */
export async function readArchiveImages(archive: Archive, options: ReadImagesOptions = {}): Promise<ArchiveImage[]> {
  const docker = await readDockerImages(archive);
  const oci = (await isLayout(archive)) ? await readLayout(archive, options, docker) : undefined;
  if (docker === undefined && oci === undefined) throw notAnArchive(archive);
  const images = (docker === undefined ? (oci ?? []) : unite(archive, docker, oci ?? [], options)).map((image) =>
    named(image, options.path),
  );
  if (images.length === 0) throw new VeneerError('invalid', `${archive.name} has no image in it`);
  return options.reference === undefined ? images : [pick(archive, images, options.reference)];
}

function notAnArchive(archive: Archive): VeneerError {
  const ancient = isAncient(archive);
  return new VeneerError(
    ancient ? 'unsupported' : 'invalid',
    `${archive.name} is not an archive of images: it has neither manifest.json nor oci-layout`,
    {
      hint: ancient
        ? 'Docker before 1.10 made it: load and save it with a newer one'
        : "a root file system's tar is taken by 'veneer import'",
    },
  );
}

/** Some versions of Docker wrote layouts beside manifest.json that lack layers; there, manifest.json is what counts. */
async function readLayout(
  archive: Archive,
  options: ReadImagesOptions,
  docker: readonly ArchiveImage[] | undefined,
): Promise<ArchiveImage[]> {
  try {
    return await readOciImages(archive, options);
  } catch (error) {
    const isIncomplete = hasCode(error, 'integrity') || hasCode(error, 'not-found');
    if (docker === undefined || options.platform !== undefined || !isIncomplete) throw error;
    return [];
  }
}

/** manifest.json says which images there are and how they are called; the layout has their manifests. */
function unite(
  archive: Archive,
  docker: readonly ArchiveImage[],
  oci: readonly ArchiveImage[],
  options: ReadImagesOptions,
): ArchiveImage[] {
  const both = docker.map((image) => {
    const same = oci.find(({ id }) => id === image.id);
    return same === undefined ? image : { ...same, names: uniqueNames([...image.names, ...same.names]) };
  });
  const others = oci.filter(({ id }) => !docker.some((image) => image.id === id));
  if (oci.length === 0) for (const image of both) checkPlatform(archive, image, options);
  const wanted =
    options.platform === undefined ? both : both.filter(({ id }) => oci.length === 0 || oci.some((it) => it.id === id));
  return [...wanted, ...others];
}

function uniqueNames(names: ArchiveImage['names']): ArchiveImage['names'] {
  return [...new Map(names.map((name) => [formatReference(name), name])).values()];
}

/** A tag alone needs a repository: it is called as the archive is. */
function named(image: ArchiveImage, path: string | undefined): ArchiveImage {
  if (image.names.length > 0 || path === undefined) return image;
  const base = posix
    .basename(path)
    .toLowerCase()
    .replace(/\.(?:tar(?:\.[a-z0-9]+)?|tgz|oci)$/, '');
  const names = image.refs.flatMap((ref) => (/[/:@]/.test(ref) ? [] : (tryTaggedName(`${base}:${ref}`) ?? [])));
  return { ...image, names };
}

function pick(archive: Archive, images: readonly ArchiveImage[], reference: string): ArchiveImage {
  const canonical = canonicalName(reference);
  const found =
    images.find(({ refs }) => refs.includes(reference)) ??
    images.find(({ names }) => names.some((name) => formatReference(name) === canonical)) ??
    images.find(({ id, manifest }) => startsWith(id, reference) || manifest?.digest === reference);
  if (found !== undefined) return found;
  const offered = images.flatMap(({ refs, names, id }) =>
    refs.length > 0 ? refs : names.length > 0 ? names.map(formatReference) : [id],
  );
  const shown = displayBytes(toByteString(reference.slice(0, 300)));
  throw new VeneerError('not-found', `${archive.name} has no image '${shown}'`, {
    hint: `it has ${offered.slice(0, 10).join(', ')}`,
  });
}

function startsWith(id: string, reference: string): boolean {
  const hex = /^(?:sha256:)?([0-9a-f]{4,64})$/.exec(reference)?.[1];
  return hex !== undefined && id.startsWith(`sha256:${hex}`);
}

function canonicalName(text: string): string | undefined {
  try {
    return formatReference(parseReference(text));
  } catch (error) {
    if (error instanceof VeneerError) return undefined;
    throw error;
  }
}
