// A private network: a process of the user's own passes on what the container sends and receives, as if it were its own. It needs
// no right to change the host's network. pasta is the faster one; slirp4netns also works on a host without a route.

import { accessSync, constants, rmSync } from 'node:fs';
import { join } from 'node:path';
import { VeneerError } from '../core/index.js';
import type { ProcessIdentity } from '../sys/index.js';
import { resolvesAtLoopback } from './etc-files.js';
import { HelperError, endHelper } from './helper-process.js';
import { resolvePorts } from './host-ports.js';
import { hearsGreetings, startPasta } from './pasta.js';
import { PRIVATE } from './private-addresses.js';
import { startSlirp4netns } from './slirp4netns.js';
import type { NetworkRequest, NetworkState, PrivateProgram } from './types.js';

const STARTS = { pasta: startPasta, slirp4netns: startSlirp4netns } as const;

/** Throws as `resolvePorts`. */
export async function preparePrivate(request: NetworkRequest): Promise<NetworkState> {
  const address4 = `${PRIVATE.address}/${String(PRIVATE.prefix)}`;
  return {
    mode: request.mode,
    interfaces: [{ name: PRIVATE.device, address4, gateway4: PRIVATE.gateway }],
    ports: await resolvePorts(request.ports),
    // Where they can be reached the host's servers are asked directly: their answers are larger than what is passed on.
    dns: resolvesAtLoopback() ? [PRIVATE.dns] : [],
  };
}

async function programsFor({ mode }: NetworkRequest, { ports }: NetworkState): Promise<readonly PrivateProgram[]> {
  if (mode === 'pasta' || mode === 'slirp4netns') return [mode];
  const isFirst = ports.length === 0 || (await hearsGreetings());
  return isFirst ? ['pasta', 'slirp4netns'] : ['slirp4netns', 'pasta'];
}

/** Connects the network namespace of a process; throws `unavailable` with what each helper says. */
export async function connectPrivate(
  request: NetworkRequest,
  state: NetworkState,
  pid: number,
): Promise<ProcessIdentity & { readonly program: PrivateProgram }> {
  const { runDirectory } = request;
  const programs = await programsFor(request, state);
  const failures: HelperError[] = [];
  for (const program of programs) {
    try {
      return { ...(await STARTS[program]({ pid, ports: state.ports, runDirectory })), program };
    } catch (error) {
      if (!(error instanceof HelperError)) throw error;
      failures.push(error);
    }
  }
  const [first] = failures;
  if (failures.length === 1 && first !== undefined) throw first;
  const whys = failures.map(({ program, why }) => `${program}: ${why}`).join('; ');
  throw new VeneerError('unavailable', `cannot make a private network: ${whys}`, {
    hint: mayMakeDevices()
      ? 'install passt or slirp4netns, or choose --network host or none'
      : 'users need /dev/net/tun: as root, load the module tun, and chmod 666 /dev/net/tun',
  });
}

/** What both programs make the container's interface with; of mode 0666 where udev made it. */
function mayMakeDevices(): boolean {
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Also twice, and whatever was killed before. */
export async function disconnectPrivate(state: NetworkState, runDirectory: string): Promise<void> {
  if (state.helper !== undefined) await endHelper(state.helper);
  for (const file of ['pasta.log', 'slirp4netns.log', 'slirp4netns.sock']) {
    rmSync(join(runDirectory, file), { force: true });
  }
}
