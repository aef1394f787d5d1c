// `config.json` of a container: how it runs, taken from its image and the user when it was created.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { VeneerError, hasCode } from '../core/index.js';
import { parseImageConfig } from '../image/index.js';
import type { Healthcheck, ImageConfig, RuntimeConfig } from '../image/index.js';
import { OF_THE_CONTAINER } from '../runtime/index.js';
import type { ContainerConfig, HostConfig, MountPoint } from '../runtime/index.js';
import { hostConfig } from './host-config.js';

const FILE = 'config.json';

export interface ConfigOverrides {
  readonly command?: readonly string[];
  /** In place of the image's, whose command goes with it; empty for none. */
  readonly entrypoint?: readonly string[];
  /** `NAME=VALUE`, or a NAME that is taken away. */
  readonly env?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  /** As USER. */
  readonly user?: string;
  readonly workdir?: string;
  readonly hostname?: string;
  readonly domainname?: string;
  readonly tty?: boolean;
  /** Whether there is an input; without, the container reads nothing. */
  readonly openStdin?: boolean;
  readonly stdinOnce?: boolean;
  readonly attach?: { readonly stdin: boolean; readonly stdout: boolean; readonly stderr: boolean };
  readonly stopSignal?: string;
  /** Seconds. */
  readonly stopTimeout?: number;
  /** What it says; the rest is the image's. `Test: ['NONE']` takes the check away. */
  readonly healthcheck?: Healthcheck;
  /** `80/tcp`. */
  readonly expose?: readonly string[];
  /** Paths of volumes without a name. */
  readonly volumes?: readonly string[];
}

/** The configuration of a new container: its image's, with what the user says otherwise. Throws `invalid`. */
export function containerConfig(image: RuntimeConfig, overrides: ConfigOverrides): ContainerConfig {
  const { env = [], labels = {}, expose = [], volumes = [], healthcheck, attach } = overrides;
  const set = <K extends keyof ContainerConfig>(name: K, value: ContainerConfig[K] | undefined): object =>
    value === undefined ? {} : { [name]: value };
  return {
    ...image,
    ...commandOf(image, overrides),
    ...(env.length === 0 ? {} : { Env: mergeEnv(image.Env ?? [], env) }),
    ...(Object.keys(labels).length === 0 ? {} : { Labels: { ...image.Labels, ...labels } }),
    ...(expose.length === 0 ? {} : { ExposedPorts: { ...image.ExposedPorts, ...namesOf(expose) } }),
    ...(volumes.length === 0 ? {} : { Volumes: { ...image.Volumes, ...namesOf(volumes) } }),
    ...(healthcheck === undefined ? {} : { Healthcheck: { ...image.Healthcheck, ...healthcheck } }),
    ...set('User', overrides.user),
    ...set('WorkingDir', overrides.workdir),
    ...set('StopSignal', overrides.stopSignal),
    ...set('Hostname', overrides.hostname),
    ...set('Domainname', overrides.domainname),
    ...set('Tty', overrides.tty),
    ...set('OpenStdin', overrides.openStdin),
    ...set('StdinOnce', overrides.stdinOnce),
    ...set('AttachStdin', attach?.stdin),
    ...set('AttachStdout', attach?.stdout),
    ...set('AttachStderr', attach?.stderr),
    ...set('StopTimeout', overrides.stopTimeout),
  };
}

/** A set, as the documents of images and containers have them. */
export const namesOf = (names: readonly string[]): Record<string, object> =>
  Object.fromEntries(names.map((name) => [name, {}]));

/** The image's command is for the image's entry point (moby, daemon/commit.go merge). */
function commandOf(
  image: RuntimeConfig,
  { command, entrypoint }: ConfigOverrides,
): Pick<RuntimeConfig, 'Cmd' | 'Entrypoint'> {
  if (entrypoint !== undefined) return { Entrypoint: entrypoint, Cmd: command ?? [] };
  const Cmd = command ?? image.Cmd;
  return Cmd === undefined ? {} : { Cmd };
}

function mergeEnv(base: readonly string[], env: readonly string[]): string[] {
  const variables = new Map<string, string>();
  for (const entry of [...base, ...env]) {
    const equals = entry.indexOf('=');
    if (equals < 0 && entry !== '') {
      variables.delete(entry);
      continue;
    }
    if (equals < 1) {
      throw new VeneerError('invalid', `'${entry}' is not an environment variable`, { hint: 'write NAME=VALUE' });
    }
    variables.set(entry.slice(0, equals), entry);
  }
  return [...variables.values()];
}

/** All that `config.json` says. */
export interface ContainerDocument {
  readonly config: ContainerConfig;
  readonly host: HostConfig;
  /** What is mounted in the container, with the volumes that were made for it. */
  readonly mounts: readonly MountPoint[];
}

/** Writes it into a directory that is still being staged. */
export function writeContainerConfig(directory: string, document: ContainerDocument): void {
  writeFileSync(join(directory, FILE), `${JSON.stringify(document, undefined, 2)}\n`, { flush: true, mode: 0o600 });
}

/** Reads it back. Throws `invalid` for a damaged file, `not-found` without one. */
export function readContainerDocument(directory: string, image: ImageConfig): ContainerDocument {
  const path = join(directory, FILE);
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    if (!hasCode(cause, 'ENOENT')) throw cause;
    throw new VeneerError('not-found', `the container's configuration '${path}' is missing`, { cause });
  }
  const document = readJson(bytes, path);
  // The parser of image configurations knows most fields and keeps the others; what a container has besides is our own writing.
  const { config = {} } = parseImageConfig(Buffer.from(JSON.stringify({ ...image, config: document.config })));
  return { config, host: hostConfig(document.host ?? {}), mounts: document.mounts ?? [] };
}

/** The configuration of the image that a commit would make: what is the container's alone is left out. */
export function readContainerConfig(directory: string, image: ImageConfig): ImageConfig {
  const { config } = readContainerDocument(directory, image);
  const kept = Object.entries(config).filter(([name]) => !OF_THE_CONTAINER.some((own) => own === name));
  return { ...image, config: Object.fromEntries(kept) };
}

interface Written {
  readonly config: unknown;
  readonly host?: Partial<HostConfig>;
  readonly mounts?: MountPoint[];
}

function readJson(bytes: Buffer, path: string): Written {
  try {
    const document: unknown = JSON.parse(bytes.toString('utf8'));
    if (typeof document === 'object' && document !== null && 'config' in document) return document;
  } catch (cause) {
    throw new VeneerError('invalid', `the container's configuration '${path}' is damaged: it is not JSON`, { cause });
  }
  throw new VeneerError('invalid', `the container's configuration '${path}' is damaged: it has no 'config'`);
}
