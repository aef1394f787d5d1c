// A RegistryClient for a test: nothing of this machine's configuration.

import { RegistryClient, Secret } from '../../../src/registry/index.js';
import type { Credential, RegistryClientOptions, RegistryConfig } from '../../../src/registry/index.js';

/** Each registry at its own host. */
export function directConfig(tls: { verify?: boolean; ca?: readonly string[] } = {}): RegistryConfig {
  return {
    endpoints: ({ registry, repository }) => [
      {
        origin: registry,
        prefix: '',
        repository,
        credentialsOf: { registry, repository },
        isMirror: false,
        tls: { verify: tls.verify, ...(tls.ca === undefined ? {} : { ca: tls.ca }) },
      },
    ],
  };
}

export function basicCredential(username: string, password: string): Credential {
  return { kind: 'basic', username, password: new Secret(password) };
}

/** With the same credential for everybody, and waits that take no time. */
export function testClient(
  options: Partial<RegistryClientOptions> & { readonly credential?: Credential } = {},
): RegistryClient {
  const { credential, ...rest } = options;
  return new RegistryClient({
    config: directConfig(),
    credentials: { find: () => Promise.resolve(credential) },
    retry: { delay: 1 },
    ...rest,
  });
}
