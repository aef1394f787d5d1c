export { CredentialStore, loadRegistryConfig, Secret } from './access/index.js';
export type {
  Audience,
  Credential,
  CredentialSource,
  CredentialStoreOptions,
  Endpoint,
  EndpointTls,
  EndpointUse,
  RegistryConfig,
  RegistryConfigOptions,
} from './access/index.js';
export { RegistryClient } from './client.js';
export type { RegistryClientOptions } from './client.js';
export type { RemoteDescriptor, RemoteManifest } from './remote-manifest.js';
export type { Repository, RepositoryName, RequestOptions } from './repository.js';
export type { Wait } from './retry.js';
export type { NewManifest, UploadOptions, UploadOutcome, UploadSource } from './upload.js';
