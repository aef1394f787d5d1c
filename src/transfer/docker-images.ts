// The images of a docker archive: what its manifest.json lists.

import { digestHex, digestOf, toByteString, VeneerError } from '../core/index.js';
import { DOCKER_MANIFEST_FILE, parseDockerManifest } from '../image/index.js';
import type { DockerManifestEntry } from '../image/index.js';
import { parseTaggedName } from '../store/index.js';
import { readDocument } from './archive.js';
import type { Archive } from './archive.js';
import { assembleImage, requireFile } from './archive-image.js';
import type { ArchiveImage } from './archive-image.js';

/** The digest that a configuration's name promises: `<hex>.json`, or `blobs/sha256/<hex>`. */
const HEX_NAME = /(?:^|\/)([0-9a-f]{64})(?:\.json)?$/;

/** Undefined for an archive without the list. */
export async function readDockerImages(archive: Archive): Promise<ArchiveImage[] | undefined> {
  const file = archive.file(DOCKER_MANIFEST_FILE);
  if (file === undefined) return undefined;
  const entries = parseDockerManifest(await readDocument(file, DOCKER_MANIFEST_FILE));
  const images: ArchiveImage[] = [];
  for (const entry of entries) images.push(await readImage(archive, entry));
  return images;
}

async function readImage(archive: Archive, entry: DockerManifestEntry): Promise<ArchiveImage> {
  const names = (entry.RepoTags ?? []).map(parseTaggedName);
  const what = `the configuration '${entry.Config.slice(0, 300)}'`;
  const configBytes = await readDocument(requireFile(archive, entry.Config, what), what);
  const promised = HEX_NAME.exec(entry.Config)?.[1];
  if (promised !== undefined && digestHex(digestOf(configBytes)) !== promised) {
    throw new VeneerError('integrity', `${what} in ${archive.name} has another digest: ${digestOf(configBytes)}`);
  }
  const layers = entry.Layers.map((path) => ({
    open: () => requireFile(archive, path, `the layer '${path.slice(0, 300)}'`),
    blob: undefined,
  }));
  return assembleImage({ configBytes, layers, manifest: undefined, names, refs: [] });
}

/** True for an archive whose only images are those of Docker 1.9 and before, which had no manifest.json. */
export function isAncient(archive: Archive): boolean {
  return archive.file(toByteString('repositories')) !== undefined;
}
