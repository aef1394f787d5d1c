import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { hasCode } from '../../core/index.js';
import { readAuthEntry } from './auth-entry.js';
import type { Audience, Credential, CredentialSource } from './types.js';

export interface CredentialStoreOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly home: string;
  /** The only file that is read and written. */
  readonly authfile?: string;
  /** What the command line gives: before all others, and never for mirrors. */
  readonly fixed?: Credential;
}

/** The credentials that Docker's and containers' tools keep. */
export class CredentialStore implements CredentialSource {
  readonly #options: CredentialStoreOptions;

  constructor(options: CredentialStoreOptions) {
    this.#options = options;
  }

  async find({ registry, isSubstitute }: Audience): Promise<Credential | undefined> {
    const { fixed, env, home } = this.#options;
    if (fixed !== undefined && isSubstitute !== true) return fixed;
    const file = path.join(env['DOCKER_CONFIG'] ?? path.join(home, '.docker'), 'config.json');
    const key = registry === 'docker.io' ? 'https://index.docker.io/v1/' : registry;
    try {
      const { auths } = JSON.parse(await readFile(file, 'utf8')) as { auths?: Record<string, unknown> };
      const entry = auths?.[key];
      return entry === undefined ? undefined : readAuthEntry(entry, `'${key}' in '${file}'`);
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return undefined;
      throw error;
    }
  }
}
