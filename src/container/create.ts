// `create`: a container is a row, a configuration, and empty directories to write to.

import type { RuntimeConfig } from '../image/index.js';
import type { Store } from '../store/index.js';
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
  /** A made-up one by default. */
  readonly name?: string;
  /** How it is tied to its host: what is not Docker's default. */
  readonly host?: Partial<HostConfig>;
}

/**
 * Makes a container. Throws `not-found` for an unknown image, `invalid` for a malformed name or variable, `already-exists` for a
 * taken name; nothing is left behind then.
 */
export function createContainer(store: Store, options: CreateOptions): Container {
  const image = store.images.resolve(options.image);
  const imageConfig: RuntimeConfig = store.images.config(image.id).config ?? {};
  const config = containerConfig(imageConfig, options);
  const host = hostConfig(options.host ?? {});
  const name = options.name ?? randomName((candidate) => store.containers.isNameTaken(candidate));
  const staged = store.containers.stage();
  try {
    const { mounts, volumes } = resolveMounts(store, config, host);
    const [top = ''] = store.layers.paths(image.layers);
    ensureDirectories(staged.path, top);
    writeContainerConfig(staged.path, { config, host, mounts });
    const container = { id: newContainerId(), name, image: image.id, imageReference: options.image };
    return viewOf(store, store.containers.create({ ...container, labels: config.Labels ?? {} }, staged, { volumes }));
  } catch (error) {
    store.containers.discard(staged);
    throw error;
  }
}
