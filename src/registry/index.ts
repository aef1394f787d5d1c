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
