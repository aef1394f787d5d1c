// NetworkSettings, as Docker's API has it.

import type { ExposedPort } from './publish.js';
import type { NetworkState, PortBinding } from './types.js';

type HostEnds = readonly { readonly HostIp: string; readonly HostPort: string }[];

const NO_ADDRESS4 = { IPAddress: '', IPPrefixLen: 0, Gateway: '', MacAddress: '' };
/** Not recorded; scripts ask for it. */
const NO_ADDRESS6 = { GlobalIPv6Address: '', GlobalIPv6PrefixLen: 0, IPv6Gateway: '' };

function addressOf(state: NetworkState | undefined): typeof NO_ADDRESS4 & typeof NO_ADDRESS6 {
  const [first] = state?.interfaces ?? [];
  if (first?.address4 === undefined) return { ...NO_ADDRESS4, ...NO_ADDRESS6 };
  const [address = '', prefix = '0'] = first.address4.split('/');
  const { gateway4 = '', mac = '' } = first;
  return { ...NO_ADDRESS6, IPAddress: address, IPPrefixLen: Number(prefix), Gateway: gateway4, MacAddress: mac };
}

/** A port that is exposed and not published is there with null. */
function portsOf(ports: readonly PortBinding[], exposed: readonly ExposedPort[]): Record<string, HostEnds | null> {
  const all: Record<string, HostEnds | null> = Object.fromEntries(
    exposed.map(({ protocol, port }) => [`${String(port)}/${protocol}`, null]),
  );
  for (const { protocol, containerPort, hostIp, hostPort } of ports) {
    const name = `${String(containerPort)}/${protocol}`;
    const end = { HostIp: hostIp === '' ? '0.0.0.0' : hostIp, HostPort: String(hostPort) };
    all[name] = [...(all[name] ?? []), end];
  }
  return all;
}

/** Of a container; without a state, of one that does not run. `network`: the name of the one that it is in then. */
export function networkSettings(
  state: NetworkState | undefined,
  { network, exposed }: { readonly network: string; readonly exposed: readonly ExposedPort[] },
): object {
  const address = addressOf(state);
  return {
    Ports: state === undefined ? {} : portsOf(state.ports, exposed),
    ...address,
    // One that is in the network of another container has none of its own.
    Networks: network.startsWith('container:') ? {} : { [state?.mode ?? network]: address },
  };
}
