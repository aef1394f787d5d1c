// The network of a container, from before its process is there until after it has ended.

import { disconnectBridge, prepareBridge } from './bridge.js';
import { connectPrivate, disconnectPrivate, preparePrivate } from './private.js';
import type { NetworkRequest, NetworkState, PreparedNetwork } from './types.js';

/**
 * Does what can be done before the container has a process: it gets its address and its ports. `tearDownNetwork` takes all of
 * it back, whether it was connected or not.
 *
 * Throws `in-use` for a port that somebody has, `permission`, `invalid`, and `unavailable` where a program is missing or fails.
 */
export async function prepareNetwork(request: NetworkRequest): Promise<PreparedNetwork> {
  const { mode } = request;
  switch (mode) {
    case 'bridge':
      return prepareBridge(request);
    case 'private':
    case 'pasta':
    case 'slirp4netns': {
      const state = await preparePrivate(request);
      return {
        state,
        connect: async (pid) => ({ ...state, helper: await connectPrivate(request, state, pid) }),
        [Symbol.dispose]: () => undefined,
      };
    }
    default: {
      // The runtime makes, or joins, the namespace; the host's ports are the container's own, or out of its reach.
      const state = { mode, interfaces: [], ports: [], dns: [] };
      return { state, connect: () => Promise.resolve(state), [Symbol.dispose]: () => undefined };
    }
  }
}

/**
 * Takes back all that a container's network has of the host: rules, addresses, interfaces, processes. Harmless when that was done, and
 * after the container, its helper or the host went down.
 */
export async function tearDownNetwork(id: string, state: NetworkState, runDirectory: string): Promise<void> {
  if (state.mode === 'bridge') await disconnectBridge(id);
  else await disconnectPrivate(state, runDirectory);
}
