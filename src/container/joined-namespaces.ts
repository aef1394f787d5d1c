// `container:NAME`: the namespaces of another container that one shares.

import { VeneerError } from '../core/index.js';
import { sharedContainer } from '../runtime/index.js';
import type { HostConfig, JoinedNamespaces } from '../runtime/index.js';
import type { Store } from '../store/index.js';
import { containerState } from './state.js';

/** Throws `not-found`, and `in-use` where that container does not run. */
export function joinedNamespaces(store: Store, host: HostConfig): JoinedNamespaces {
  return {
    ...join(store, 'network', 'net', host.NetworkMode),
    ...join(store, 'pid', 'pid', host.PidMode),
    ...join(store, 'ipc', 'ipc', host.IpcMode),
  };
}

function join(store: Store, what: keyof JoinedNamespaces, file: string, mode: string): JoinedNamespaces {
  const reference = sharedContainer(mode);
  if (reference === undefined) return {};
  const record = store.containers.resolve(reference);
  const { pid } = containerState(store, record);
  if (pid !== undefined) return { [what]: `/proc/${String(pid)}/ns/${file}` };
  throw new VeneerError('unavailable', `container ${record.name}, whose ${what} is to be shared, does not run`, {
    hint: `start it first: veneer start ${record.name}`,
  });
}
