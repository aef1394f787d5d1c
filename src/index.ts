// The library's door: what programs may rely on.

export {
  SysError,
  VeneerError,
  digestOf,
  displayBytes,
  hasCode,
  isDigest,
  parseDigest,
  toByteString,
} from './core/index.js';
export type { ByteString, Digest, ErrorKind } from './core/index.js';

export { applyChanges, chainId, chainIds, encodeImageConfig, parseImageConfig } from './image/index.js';
export { familiarReference, formatReference, hostPlatform, parseReference } from './image/index.js';
export type { ChainId, DiffId, HistoryEntry, ImageConfig, Platform, Reference, RuntimeConfig } from './image/index.js';

export { Store, defaultRoot, isLeftover } from './store/index.js';
export type {
  AddImageOptions,
  Blob,
  BlobRange,
  BlobSource,
  ContainerUsage,
  DeepCheckOptions,
  Finding,
  FindingKind,
  Image,
  ImageHistoryEntry,
  ImageManifest,
  ImageUsage,
  IngestOptions,
  LabelFilter,
  Layer,
  Lease,
  Loss,
  Pruned,
  PrunedImages,
  PruneImagesOptions,
  RemovedImage,
  Repaired,
  StoreUsage,
  Usage,
} from './store/index.js';

export { importRootfs } from './transfer/index.js';
export type { ImportOptions, ImportProgress, ImportSource } from './transfer/index.js';

export {
  commitContainer,
  compareTrees,
  createContainer,
  diffContainer,
  diffTrees,
  inspectContainer,
  listContainers,
  patchTrees,
} from './container/index.js';
export { mountContainer, mountImage, removeContainer, unmount, whichLayers } from './container/index.js';
export type {
  CommitOptions,
  CommitProgress,
  Container,
  CreateOptions,
  DiffTreesOptions,
  MountedContainer,
  Origin,
  Unmounted,
  Whereabouts,
} from './container/index.js';

export { applyLayer, diffLayers } from './layer/index.js';
export type { AppliedLayer, ApplyLayerOptions, Change, DetailedChange, FileFacts, PatchLine } from './layer/index.js';

export { mountedAt, serveOverlay, startOverlay, unmountOverlay } from './overlay/index.js';
export type { OverlayOptions } from './overlay/index.js';
