export { annotatedName, IMAGE_NAME, nameAnnotations, REF_NAME } from './annotations.js';
export type { AnnotatedName } from './annotations.js';
export type { BlobReader, ByteRange } from './blob-reader.js';
export { applyChange, applyChanges } from './change.js';
export { parseExecForm } from './change-syntax.js';
export { encodeImageConfig, parseImageConfig } from './config.js';
export type { Healthcheck, HistoryEntry, ImageConfig, RuntimeConfig } from './config.js';
export type { Descriptor } from './descriptor.js';
export { documentKind } from './document-kind.js';
export type { DocumentKind } from './document-kind.js';
export { DOCKER_MANIFEST_FILE, encodeDockerManifest, parseDockerManifest } from './docker-manifest.js';
export type { DockerManifestEntry } from './docker-manifest.js';
export { chainId, chainIds, parseChainId, parseDiffId, toDiffId } from './ids.js';
export type { ChainId, DiffId } from './ids.js';
export { describesImage, encodeIndex, parseIndex, platformsOf, selectManifest } from './image-index.js';
export type { ImageIndex } from './image-index.js';
export { encodeManifest, parseManifest } from './manifest.js';
export type { Manifest } from './manifest.js';
export { compressionOf, isConfigType, isForeignLayer, isIndexType, isManifestType } from './media-types.js';
export { layerTypeOf, MediaTypes } from './media-types.js';
export { checkLayout, encodeLayout, INDEX_FILE, LAYOUT_FILE } from './oci-layout.js';
export { formatPlatform, hostPlatform, normalizePlatform, parsePlatform, platformRank } from './platform.js';
export type { Platform } from './platform.js';
export {
  familiarName,
  familiarReference,
  formatReference,
  isNameOnly,
  isRegistryHost,
  isRepository,
  parseReference,
  tagOrDigest,
} from './reference.js';
export type { Reference } from './reference.js';
