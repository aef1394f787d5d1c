export { CredentialStore } from './credential-store.js';
export type { CredentialStoreOptions, LoginName, Saved } from './credential-store.js';
export { loadRegistryConfig } from './registry-config.js';
export type { RegistryConfigOptions } from './registry-config.js';
export { Secret } from './secret.js';
export type {
  Audience,
  Credential,
  CredentialSource,
  Endpoint,
  EndpointTls,
  EndpointUse,
  RegistryConfig,
} from './types.js';
