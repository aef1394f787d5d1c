// Registries for tests.

export { makeCertificates } from './certificates.js';
export type { Certificates } from './certificates.js';
export { basicCredential, directConfig, testClient } from './client.js';
export { fill, fillWith, rawManifest, skopeo, storedBlob } from './fill.js';
export { descriptor, generateImage, generateIndex, MEDIA_TYPES, noise, sha256, tarOf } from './generated-image.js';
export type { GeneratedBlob, GeneratedImage, GeneratedImageOptions, ImageContent } from './generated-image.js';
export { startForwardProxy } from './forward-proxy.js';
export type { ForwardProxy } from './forward-proxy.js';
export { startProxy } from './proxy.js';
export type { Behaviour, HostileProxy, ProxiedRequest, Rules } from './proxy.js';
export { PASSWORD, startRegistry, USER } from './registry.js';
export type { LoggedRequest, RegistryOptions, TestRegistry } from './registry.js';
export { startTokenServer } from './token-server.js';
export type { TokenRequest, TokenServer } from './token-server.js';
