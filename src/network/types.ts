// What a container's network is: how it was asked for, and how it is now.

import type { ProcessIdentity } from '../sys/index.js';

/**
 * - `none`: a loopback interface and nothing else
 * - `host`: the host's own network
 * - `bridge`: an address of its own behind the host's bridge, for root
 * - `private`: a network of its own that a user's process passes on, by pasta or slirp4netns; or by the one that is named
 * - `container:X`: that of another container
 */
export type NetworkMode = 'none' | 'host' | 'bridge' | 'private' | PrivateProgram | `container:${string}`;

export type PrivateProgram = 'pasta' | 'slirp4netns';

export interface PortBinding {
  readonly protocol: 'tcp' | 'udp';
  readonly containerPort: number;
  /** '' for all addresses of the host. */
  readonly hostIp: string;
  /** 0: one is chosen. */
  readonly hostPort: number;
}

export interface NetworkInterface {
  readonly name: string;
  /** CIDR. */
  readonly address4?: string;
  readonly gateway4?: string;
  readonly mac?: string;
}

/** The network of a running container; survives JSON. */
export interface NetworkState {
  readonly mode: NetworkMode;
  readonly interfaces: readonly NetworkInterface[];
  /** As published: no host port is 0. */
  readonly ports: readonly PortBinding[];
  /** Name servers of the network itself, where there are any; else those of the host are asked. */
  readonly dns: readonly string[];
  /** The process that passes a private network on. */
  readonly helper?: ProcessIdentity & { readonly program: PrivateProgram };
}

export interface NetworkRequest {
  /** Of the container. */
  readonly id: string;
  /** For errors of others who want its ports. */
  readonly name: string;
  readonly mode: NetworkMode;
  readonly ports: readonly PortBinding[];
  /** For sockets and logs of a helper: short, and the container's own. */
  readonly runDirectory: string;
}

/** A network that is there, or about to be, but for the container. */
export interface PreparedNetwork extends Disposable {
  /** Its addresses and ports, which are certain already. */
  readonly state: NetworkState;
  /** The namespace that the container is to join, until this is disposed of; without, the runtime makes one, or none is needed. */
  readonly namespace?: string;
  /** Gives the network to the container's process, before it runs anything. Throws `unavailable` where a program is missing or fails. */
  connect(pid: number): Promise<NetworkState>;
}
