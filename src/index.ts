// The library's door: what programs may rely on. src/library/README.md has examples.

export { openRegistries, openStore } from './library/index.js';
export type { Containers, Images, OpenStore, OpenStoreOptions, Operation } from './library/index.js';
export type { CommitContainerOptions, DiffOptions, ImportImageOptions } from './library/index.js';
export type { PullImageOptions, PushImageOptions } from './library/index.js';
export type { Registries, RegistriesOptions, RegistryDocument } from './library/index.js';

export { SysError, VeneerError, digestOf, displayBytes, hasCode, isDigest, parseDigest } from './core/index.js';
export { toByteString } from './core/index.js';
export type { ByteString, Digest, ErrorKind } from './core/index.js';

export { applyChanges, chainId, chainIds, encodeImageConfig, parseImageConfig } from './image/index.js';
export { familiarReference, formatReference, hostPlatform, parseReference } from './image/index.js';
export type { ChainId, DiffId, HistoryEntry, ImageConfig, Platform, Reference, RuntimeConfig } from './image/index.js';

export { isLeftover } from './store/index.js';
export type { ContainerUsage, ImageUsage, StoreUsage, Usage } from './store/index.js';
export type { Finding, FindingKind, Loss, Pruned, Repaired } from './store/index.js';
export type { Image, ImageHistoryEntry, ImageManifest, Layer, RemovedImage } from './store/index.js';
export type { LabelFilter, PrunedImages, PruneImagesOptions } from './store/index.js';
export type { ArchiveSource, ImportProgress, ImportSource, LoadedImage, LoadOptions } from './transfer/index.js';
export type { PulledImage, PushedImage, RemoteImage } from './transfer/index.js';
export type { SaveOptions, SaveTarget, TransferPhase, TransferProgress } from './transfer/index.js';
export type { CommitChoice, CommitProgress, Container, MountedContainer } from './container/index.js';
export type { Origin, PreviewedChange, Unmounted, Whereabouts } from './container/index.js';

// Below the store: layers as tars and directories, and the file system alone.
export { applyLayer, diffLayers } from './layer/index.js';
export type {
  AppliedLayer,
  ApplyLayerOptions,
  ByteSink,
  Change,
  DetailedChange,
  FileFacts,
  LayerLimits,
  PatchLine,
} from './layer/index.js';
export { mountedAt, serveOverlay, startOverlay, unmountOverlay } from './overlay/index.js';
export type { OverlayOptions } from './overlay/index.js';
