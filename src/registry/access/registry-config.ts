import type { Endpoint, RegistryConfig } from './types.js';

export interface RegistryConfigOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly home: string;
  /** What `--tls-verify` says, for every host. */
  readonly tlsVerify?: boolean;
  readonly certDir?: string;
}

/** What the machine and the user have configured of registries. */
export function loadRegistryConfig({ tlsVerify }: RegistryConfigOptions): RegistryConfig {
  return {
    endpoints: ({ registry, repository }): Endpoint[] => [
      {
        origin: registry,
        prefix: '',
        repository,
        credentialsOf: { registry, repository },
        isMirror: false,
        tls: { verify: tlsVerify },
      },
    ],
  };
}
