// `create`: a container is a row, a configuration, and empty directories to write to.

import type { RuntimeConfig } from '../image/index.js';
import type { Image, Store } from '../store/index.js';
import { commandOf, sharedContainer } from '../runtime/index.js';
import type { HostConfig } from '../runtime/index.js';
import { containerConfig, writeContainerConfig } from './container-config.js';
import type { ConfigOverrides } from './container-config.js';
import { newContainerId } from './container-id.js';
import { randomName } from './container-names.js';
import { hostConfig } from './host-config.js';
import { resolveMounts } from './resolve-mounts.js';
import { ensureDirectories } from './upper-directory.js';
import { viewOf } from './view.js';
import type { Container } from './view.js';

export interface CreateOptions extends ConfigOverrides {
  /** A name, ID or start of an ID. */
  readonly image: string;
  /** One that nobody has; a new one by default. */
  readonly id?: string;
  /** A made-up one by default. */
  readonly name?: string;
  /** Whether it is of no use without a command to run. */
  readonly toRun?: boolean;
  /** How it is tied to its host: what is not Docker's default. */
  readonly host?: Partial<HostConfig>;
}

/**
 * Makes a container. Throws `not-found` for an unknown image, or container to share with, `invalid` for a malformed name or variable, or no
 * command, `already-exists` for a taken name; nothing is left behind then.
 */
export function createContainer(store: Store, options: CreateOptions): Container {
  const image = store.images.resolve(options.image);
  try {
    return createFrom(store, image, options);
  } catch (error) {
    // Somebody has removed the image meanwhile, and may have given its name to another one.
    if (store.images.find(image.id) === undefined) return createContainer(store, options);
    throw error;
  }
}

function createFrom(store: Store, image: Image, options: CreateOptions): Container {
  const imageConfig: RuntimeConfig = store.images.config(image.id).config ?? {};
  const config = containerConfig(imageConfig, options);
  if (options.toRun === true) commandOf(config);
  const host = byId(store, hostConfig(options.host ?? {}));
  const name = options.name ?? randomName((candidate) => store.containers.isNameTaken(candidate));
  const staged = store.containers.stage();
  try {
    const { mounts, volumes } = resolveMounts(store, config, host);
    const [top = ''] = store.layers.paths(image.layers);
    ensureDirectories(staged.path, top);
    writeContainerConfig(staged.path, { config, host, mounts });
    const { id = newContainerId() } = options;
    const container = { id, name, image: image.id, imageReference: options.image };
    return viewOf(store, store.containers.create({ ...container, labels: config.Labels ?? {} }, staged, { volumes }));
  } catch (error) {
    store.containers.discard(staged);
    throw error;
  }
}

/** Containers whose namespaces it is to share are known by ID, whatever they are called when it starts. Throws `not-found`. */
function byId(store: Store, host: HostConfig): HostConfig {
  const known = (mode: string): string => {
    const other = sharedContainer(mode);
    return other === undefined ? mode : `container:${store.containers.resolve(other).id}`;
  };
  const { NetworkMode, PidMode, IpcMode } = host;
  return { ...host, NetworkMode: known(NetworkMode), PidMode: known(PidMode), IpcMode: known(IpcMode) };
}
