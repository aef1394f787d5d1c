// The namespaces of a container: new ones, the host's, or another container's.

import type { HostConfig } from './host-config.js';
import type { OciNamespace } from './oci-spec.js';

/** `/proc/PID/ns/TYPE` of the containers whose namespaces are shared. */
export interface JoinedNamespaces {
  readonly network?: string;
  readonly pid?: string;
  readonly ipc?: string;
}

type Shareable = keyof JoinedNamespaces;

export interface NamespacesInput {
  readonly host: HostConfig;
  readonly joined: JoinedNamespaces;
  readonly cgroupVersion: 1 | 2 | undefined;
}

/** The container named by a mode `container:ID`. */
export function sharedContainer(mode: string): string | undefined {
  return /^container:(.+)$/.exec(mode)?.[1];
}

export function specNamespaces({ host, joined, cgroupVersion }: NamespacesInput): OciNamespace[] {
  const { NetworkMode, PidMode, IpcMode, UTSMode } = host;
  const shareable = (type: Shareable, mode: string): OciNamespace[] => {
    if (mode === 'host') return [];
    const path = joined[type];
    return [path === undefined ? { type } : { type, path }];
  };
  const ownCgroups = cgroupVersion !== undefined && hasOwnCgroups(host, cgroupVersion);
  return [
    { type: 'mount' },
    ...shareable('network', NetworkMode),
    ...shareable('pid', PidMode),
    ...shareable('ipc', IpcMode),
    ...(UTSMode === 'host' ? [] : [{ type: 'uts' as const }]),
    ...(ownCgroups ? [{ type: 'cgroup' as const }] : []),
  ];
}

/** Docker's default is a namespace of its own with the second version of control groups alone, with --privileged, too. */
function hasOwnCgroups({ CgroupnsMode }: HostConfig, version: 1 | 2): boolean {
  return CgroupnsMode === '' ? version === 2 : CgroupnsMode === 'private';
}
