// The network of a container that runs.

import { parseNetworkMode, prepareNetwork, tearDownNetwork } from '../network/index.js';
import type { NetworkMode, NetworkState, PreparedNetwork } from '../network/index.js';
import { isRootless } from '../rootless/index.js';
import type { ContainerRecord, ContainerRun, Store } from '../store/index.js';
import { publishedPorts } from './port-bindings.js';
import { runFilesOf } from './state.js';
import { documentOf } from './document.js';

/** What the run has of a network, or may have. */
export function networkOf(run: ContainerRun): NetworkState | undefined {
  return run.network as NetworkState | undefined;
}

/** Before there is anything of it: enough to take back what a start that is killed has made. */
export function noNetworkYet(mode: NetworkMode): NetworkState {
  return { mode, interfaces: [], ports: [], dns: [] };
}

/** The network that a container is to have. A plain user has no bridge, but a network of his own does what one is for. */
export function networkModeOf(store: Store, record: ContainerRecord): NetworkMode {
  const rootless = isRootless();
  const mode = parseNetworkMode(documentOf(store, record).host.NetworkMode, { rootless });
  return rootless && mode === 'bridge' ? 'private' : mode;
}

const UNPUBLISHED: readonly string[] = ['host', 'none'];

/** Gives a container what it needs of the host's network before it has a process. Throws as `prepareNetwork`. */
export function prepareRunNetwork(
  store: Store,
  record: ContainerRecord,
  options: { readonly mode: NetworkMode; readonly onWarning: (message: string) => void },
): Promise<PreparedNetwork> {
  const { mode, onWarning } = options;
  const { config, host } = documentOf(store, record);
  const ports = publishedPorts(config, host);
  if (ports.length > 0 && UNPUBLISHED.includes(mode)) {
    onWarning(`published ports mean nothing with --network ${mode}: they are left out`);
  }
  if (host.NetworkMode === 'bridge' && mode !== 'bridge') {
    onWarning('only root has a bridge: the container gets a private network');
  }
  const { directory } = runFilesOf(store, record.id);
  return prepareNetwork({ id: record.id, name: record.name, mode, ports, runDirectory: directory });
}

/** Takes back what a run has of the host's network. */
export async function endRunNetwork(store: Store, record: ContainerRecord, run: ContainerRun): Promise<void> {
  const state = networkOf(run);
  if (state !== undefined) await tearDownNetwork(record.id, state, runFilesOf(store, record.id).directory);
}
