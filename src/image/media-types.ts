// Media types: OCI image spec, media-types.md, and their equivalents in Docker's schema 2.

export const MediaTypes = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
  layerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  layerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  empty: 'application/vnd.oci.empty.v1+json',
  dockerManifestList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar',
  dockerLayerGzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  dockerLayerZstd: 'application/vnd.docker.image.rootfs.diff.tar.zstd',
} as const;

/** True for an image manifest of either family. */
export function isManifestType(mediaType: string): boolean {
  return mediaType === MediaTypes.manifest || mediaType === MediaTypes.dockerManifest;
}

/** True for a list of manifests, one per platform, of either family. */
export function isIndexType(mediaType: string): boolean {
  return mediaType === MediaTypes.index || mediaType === MediaTypes.dockerManifestList;
}

/** True for the configuration of an image: an artifact's manifest has something else in its place. */
export function isConfigType(mediaType: string): boolean {
  return mediaType === MediaTypes.config || mediaType === MediaTypes.dockerConfig;
}

/** Layers that are not to be passed on have types of their own (`nondistributable`, `foreign`) and the same form. */
const LAYER_TYPE =
  /^application\/vnd\.(?:oci\.image\.layer(?:\.nondistributable)?\.v1|docker\.image\.rootfs(?:\.foreign)?\.diff)\.tar(?:[.+](gzip|zstd))?$/;

/** How a layer of this media type is compressed; undefined for what is no layer of an image. */
export function compressionOf(mediaType: string): 'none' | 'gzip' | 'zstd' | undefined {
  const match = LAYER_TYPE.exec(mediaType);
  if (match === null) return undefined;
  return match[1] === 'gzip' || match[1] === 'zstd' ? match[1] : 'none';
}

/** True for a layer that is not to be passed on by registries. */
export function isForeignLayer(mediaType: string): boolean {
  return compressionOf(mediaType) !== undefined && /nondistributable|foreign/.test(mediaType);
}

/** The media type of a layer in a manifest of one family or the other. */
export function layerTypeOf(
  family: 'oci' | 'docker',
  { compression, isForeign = false }: { compression: 'none' | 'gzip' | 'zstd'; isForeign?: boolean },
): string {
  if (family === 'oci') {
    const kind = isForeign ? 'layer.nondistributable' : 'layer';
    return `application/vnd.oci.image.${kind}.v1.tar${compression === 'none' ? '' : `+${compression}`}`;
  }
  const kind = isForeign ? 'rootfs.foreign' : 'rootfs';
  return `application/vnd.docker.image.${kind}.diff.tar${compression === 'none' ? '' : `.${compression}`}`;
}
