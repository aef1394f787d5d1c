// Which files hold credentials, in the order in which they are asked: containers-auth.json(5), then Docker's.

import path from 'node:path';
import { hasCode } from '../../core/index.js';
import { AuthDocument } from './auth-document.js';
import type { AuthFormat } from './auth-document.js';
import { setting, userContainers } from './registries-files.js';
import { changeFile } from './replace-file.js';
import { readSmallFile } from './small-file.js';

export interface AuthPlaces {
  readonly env: NodeJS.ProcessEnv;
  readonly home: string;
  /** The only file, before REGISTRY_AUTH_FILE. */
  readonly authfile?: string | undefined;
}

export class AuthFile {
  readonly path: string;
  readonly format: AuthFormat;
  readonly #mayBeOfOthers: boolean;

  constructor(file: string, format: AuthFormat, { mayBeOfOthers = false } = {}) {
    this.path = file;
    this.format = format;
    this.#mayBeOfOthers = mayBeOfOthers;
  }

  /** Undefined where there is no such file. */
  read(): AuthDocument | undefined {
    let text: string | undefined;
    try {
      text = readSmallFile(this.path);
    } catch (error) {
      if (!this.#mayBeOfOthers || !hasCode(error, 'permission')) throw error;
    }
    return text === undefined ? undefined : new AuthDocument(text, this.path, this.format);
  }

  /** Replaces the file by what `change` makes of it, if that is something. */
  async change(change: (document: AuthDocument) => string | undefined): Promise<void> {
    await changeFile(this.path, (text = '') => change(new AuthDocument(text, this.path, this.format)));
  }
}

/** The one file that the command line or the environment names. */
export function namedAuthFile({ env, authfile }: AuthPlaces): AuthFile | undefined {
  const named = authfile ?? setting(env, 'REGISTRY_AUTH_FILE');
  if (named === undefined) return undefined;
  return new AuthFile(named, path.basename(named) === 'config.json' ? 'docker' : 'containers');
}

/** Docker's file, where `login` writes. */
export function dockerAuthFile({ env, home }: AuthPlaces): AuthFile {
  return new AuthFile(path.join(setting(env, 'DOCKER_CONFIG') ?? path.join(home, '.docker'), 'config.json'), 'docker');
}

/** All files, in the order in which they are asked. */
export function authFiles(places: AuthPlaces): AuthFile[] {
  const named = namedAuthFile(places);
  if (named !== undefined) return [named];
  const { env, home } = places;
  const runtime = setting(env, 'XDG_RUNTIME_DIR') ?? `/run/containers/${String(process.getuid?.() ?? 0)}`;
  const atRuntime = setting(env, 'XDG_RUNTIME_DIR') === undefined ? 'auth.json' : 'containers/auth.json';
  return [
    // su(1) leaves the XDG_RUNTIME_DIR of who called it.
    new AuthFile(path.join(runtime, atRuntime), 'containers', { mayBeOfOthers: true }),
    new AuthFile(path.join(userContainers(places), 'auth.json'), 'containers'),
    dockerAuthFile(places),
    new AuthFile(path.join(home, '.dockercfg'), 'legacy'),
  ];
}
