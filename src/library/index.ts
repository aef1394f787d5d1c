export { Containers } from './containers.js';
export type { CommitContainerOptions } from './containers.js';
export { Images } from './images.js';
export type { ImportImageOptions, PullImageOptions, PushImageOptions } from './images.js';
export { OpenStore, openStore } from './open-store.js';
export type { DiffOptions, OpenStoreOptions } from './open-store.js';
export type { Operation } from './operation.js';
export { openRegistries, Registries } from './registries.js';
export type { InspectRemoteOptions, RegistriesOptions, RegistryDocument } from './registries.js';
