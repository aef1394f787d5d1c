// NetworkSettings, as Docker's API has it.

import type { ExposedPort } from './publish.js';
import type { NetworkState, PortBinding } from './types.js';

type HostEnds = readonly { readonly HostIp: string; readonly HostPort: string }[];

const HAS_NO_ADDRESS = { IPAddress: '', IPPrefixLen: 0, Gateway: '', MacAddress: '' };

function addressOf(state: NetworkState | undefined): typeof HAS_NO_ADDRESS {
  const [first] = state?.interfaces ?? [];
  if (first?.address4 === undefined) return HAS_NO_ADDRESS;
  const [address = '', prefix = '0'] = first.address4.split('/');
  const { gateway4 = '', mac = '' } = first;
  return { IPAddress: address, IPPrefixLen: Number(prefix), Gateway: gateway4, MacAddress: mac };
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

/** Of a container; without a state, of one that does not run. */
export function networkSettings(state: NetworkState | undefined, exposed: readonly ExposedPort[]): object {
  const address = addressOf(state);
  return {
    Ports: state === undefined ? {} : portsOf(state.ports, exposed),
    ...address,
    Networks: state === undefined ? {} : { [state.mode]: address },
  };
}
