// `config.json` of a container: how it runs, taken from its image when it was created.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { VeneerError, hasCode } from '../core/index.js';
import { parseImageConfig } from '../image/index.js';
import type { ImageConfig, RuntimeConfig } from '../image/index.js';

const FILE = 'config.json';

export interface ConfigOverrides {
  readonly command?: readonly string[];
  /** `NAME=VALUE`. */
  readonly env?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
}

/** The configuration of a new container: its image's, with what the user says otherwise. Throws `invalid`. */
export function containerConfig(
  image: RuntimeConfig,
  { command, env = [], labels = {} }: ConfigOverrides,
): RuntimeConfig {
  return {
    ...image,
    ...(command === undefined ? {} : { Cmd: command }),
    ...(env.length === 0 ? {} : { Env: mergeEnv(image.Env ?? [], env) }),
    ...(Object.keys(labels).length === 0 ? {} : { Labels: { ...image.Labels, ...labels } }),
  };
}

function mergeEnv(base: readonly string[], env: readonly string[]): string[] {
  const variables = new Map<string, string>();
  for (const entry of [...base, ...env]) {
    const equals = entry.indexOf('=');
    if (equals < 1) {
      throw new VeneerError('invalid', `'${entry}' is not an environment variable`, { hint: 'write NAME=VALUE' });
    }
    variables.set(entry.slice(0, equals), entry);
  }
  return [...variables.values()];
}

/** Writes it into a directory that is still being staged. */
export function writeContainerConfig(directory: string, config: RuntimeConfig): void {
  writeFileSync(join(directory, FILE), `${JSON.stringify({ config }, undefined, 2)}\n`, { flush: true, mode: 0o600 });
}

/** Reads it back as the configuration of an image. Throws `invalid` for a damaged file, `not-found` without one. */
export function readContainerConfig(directory: string, image: ImageConfig): ImageConfig {
  const path = join(directory, FILE);
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    if (!hasCode(cause, 'ENOENT')) throw cause;
    throw new VeneerError('not-found', `the container's configuration '${path}' is missing`, { cause });
  }
  const document = readJson(bytes, path);
  // The parser of image configurations knows the fields; the other parts are the image's own.
  const { config = {} } = parseImageConfig(Buffer.from(JSON.stringify({ ...image, ...document })));
  return { ...image, config };
}

function readJson(bytes: Buffer, path: string): object {
  try {
    const document: unknown = JSON.parse(bytes.toString('utf8'));
    if (typeof document === 'object' && document !== null && 'config' in document) return { config: document.config };
  } catch (cause) {
    throw new VeneerError('invalid', `the container's configuration '${path}' is damaged: it is not JSON`, { cause });
  }
  throw new VeneerError('invalid', `the container's configuration '${path}' is damaged: it has no 'config'`);
}
