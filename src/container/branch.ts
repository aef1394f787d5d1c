// `branch`: another container that begins with the state of one.

import type { PortBinding } from '../network/index.js';
import type { Store } from '../store/index.js';
import { namesOf, writeContainerConfig } from './container-config.js';
import type { ContainerDocument } from './container-config.js';
import { newContainerId } from './container-id.js';
import { randomName } from './container-names.js';
import { freezeContainer, hasWritten, held } from './freeze.js';
import { baseDirectories } from './lower-directories.js';
import { hasOwnVolumes, ownVolumes } from './own-volumes.js';
import type { OwnVolumes } from './own-volumes.js';
import { portBindings } from './port-bindings.js';
import { ensureDirectories } from './upper-directory.js';
import { documentOf } from './document.js';
import { viewOf } from './view.js';
import type { Container } from './view.js';

export interface BranchOptions {
  /** A made-up one by default. */
  readonly name?: string | undefined;
  /** A snapshot to begin with; by default the state at this moment. */
  readonly snapshot?: string | undefined;
  /** Whether a running container is held for the moment; true unless told. */
  readonly pause?: boolean | undefined;
  /** What it publishes instead of the other one's ports, which both can have only in turn. */
  readonly ports?: readonly PortBinding[] | undefined;
}

/**
 * Makes a container with the configuration of another one that begins with the very state of that one, or of a snapshot of it, and shares
 * all data with it; of volumes without a name it has copies. The other one goes on, running or not. Throws `not-found`, `invalid` and `already-exists` for the name.
 */
export async function branchContainer(
  store: Store,
  reference: string,
  { name, snapshot, pause, ports }: BranchOptions = {},
): Promise<Container> {
  const found = store.containers.resolve(reference);
  using _lock = await store.containers.lock(found);
  const record = store.containers.get(found.id);
  const chosen = name ?? randomName((candidate) => store.containers.isNameTaken(candidate));
  store.containers.checkNewName(chosen);
  const staged = store.containers.stage();
  try {
    const document = withPorts(documentOf(store, record), ports);
    const takeState = async (): Promise<{ frozen: string | undefined; own: OwnVolumes }> => ({
      frozen:
        snapshot === undefined
          ? await stateOf(store, found.id, pause)
          : store.frozen.snapshot(record.id, snapshot).frozen,
      own: ownVolumes(store, document.mounts),
    });
    // Held for both, where there are both: files and volumes are of one moment.
    const isOneMoment = hasOwnVolumes(store, document.mounts);
    const { frozen, own } = isOneMoment ? await held(store, record, { pause }, takeState) : await takeState();
    using _copies = own;
    const [top = ''] = frozen === undefined ? baseDirectories(store, record) : [store.frozen.path(frozen)];
    ensureDirectories(staged.path, top);
    writeContainerConfig(staged.path, { ...document, mounts: own.mounts });
    const { volumes } = own;
    const { image, imageReference, labels, committed } = record;
    const container = { id: newContainerId(), name: chosen, image, imageReference, labels };
    return viewOf(store, store.containers.create(container, staged, { from: { committed, frozen }, volumes }));
  } catch (error) {
    store.containers.discard(staged);
    throw error;
  }
}

function withPorts(document: ContainerDocument, ports: BranchOptions['ports']): ContainerDocument {
  if (ports === undefined) return document;
  const { config, host } = document;
  const PortBindings = portBindings(ports);
  return {
    ...document,
    config: { ...config, ExposedPorts: { ...config.ExposedPorts, ...namesOf(Object.keys(PortBindings)) } },
    host: { ...host, PortBindings, PublishAllPorts: false },
  };
}

/** What a container lies on, with everything it has changed: undefined where that is nothing. */
async function stateOf(store: Store, id: string, pause: boolean | undefined): Promise<string | undefined> {
  const record = store.containers.get(id);
  return hasWritten(store, record) ? freezeContainer(store, record, { pause }) : record.frozen[0];
}
