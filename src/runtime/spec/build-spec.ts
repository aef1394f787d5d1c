// The specification of a container for its runtime.

import { existsSync } from 'node:fs';
import os from 'node:os';
import { VeneerError } from '../../core/index.js';
import { highestId } from '../../rootless/index.js';
import type { ContainerConfig } from './container-config.js';
import { specDevices } from './devices.js';
import type { HostConfig } from './host-config.js';
import { rootPropagation, specMounts } from './mounts.js';
import type { EtcFiles, MountPoint } from './mounts.js';
import { specNamespaces } from './namespaces.js';
import type { JoinedNamespaces } from './namespaces.js';
import type { OciLinux, OciSeccomp, OciSpec } from './oci-spec.js';
import { possibleLimits } from './possible-limits.js';
import type { CgroupKind } from './possible-limits.js';
import { processSpec } from './process-spec.js';
import { protectedPaths } from './protected-paths.js';
import { resourceLimits } from './resources.js';
import type { Limits } from './resources.js';
import { readSeccompProfile, resolveSeccomp } from './seccomp.js';
import { parseSecurityOptions } from './security-options.js';
import type { SecurityOptions } from './security-options.js';
import type { UserDatabase } from './user-database.js';

export interface SpecInput {
  readonly config: ContainerConfig;
  readonly host: HostConfig;
  /** The merged tree. */
  readonly rootfs: string;
  readonly hostname: string;
  readonly users: UserDatabase;
  readonly etcFiles?: EtcFiles;
  readonly mounts: readonly MountPoint[];
  /** The control groups of the host and the container's place in them; without, the container has no limits. */
  readonly cgroups?: CgroupKind & { readonly path?: string };
  readonly joined?: JoinedNamespaces;
  /** A network namespace that was made for it alone. */
  readonly networkNamespace?: string | undefined;
  /** Where /dev/shm is on the host, if others have it, too. */
  readonly sharedMemory?: string | undefined;
  /** Whether this runs in a user namespace with the rights of a plain user. */
  readonly rootless?: boolean;
  readonly onWarning?: (message: string) => void;
}

/**
 * Throws `invalid`, `not-found` for users, devices and files that are not there, `permission` for capabilities, `unavailable`
 * without a seccomp profile or an init program that is needed.
 */
export function buildSpec(input: SpecInput): OciSpec {
  const { host, rootfs, hostname, mounts, etcFiles, cgroups, rootless = false } = input;
  const init = host.Init ? findInit() : undefined;
  const process = processSpec(input);
  const args = init === undefined ? process.args : ['/dev/init', '--', ...process.args];
  return {
    ociVersion: '1.0.2',
    process: { ...process, args },
    root: { path: rootfs, readonly: host.ReadonlyRootfs },
    ...(host.UTSMode === 'host' ? {} : { hostname }),
    mounts: specMounts({
      host,
      etcFiles,
      mounts,
      cgroups: cgroups !== undefined,
      ownSysfs: !rootless || (host.NetworkMode !== 'host' && input.joined?.network === undefined),
      init,
      sharedMemory: input.sharedMemory,
    }),
    annotations: host.Annotations,
    linux: linuxSpec(input, process.capabilities.bounding ?? []),
  };
}

function linuxSpec(input: SpecInput, capabilities: readonly string[]): OciLinux {
  const { config, host, cgroups, joined = {}, networkNamespace } = input;
  const security = parseSecurityOptions(host.SecurityOpt);
  const { devices, rules } = specDevices(host);
  const seccomp = seccompOf(security, host, capabilities);
  const sysctl = sysctls(config, host, joined);
  const inUse = networkNamespace === undefined ? joined : { ...joined, network: networkNamespace };
  return {
    namespaces: specNamespaces({ host, joined: inUse, cgroupVersion: cgroups?.version }),
    devices,
    ...(cgroups?.path === undefined ? {} : { cgroupsPath: cgroups.path }),
    resources: { ...(cgroups === undefined ? {} : { devices: rules }), ...limitsOf(input) },
    rootfsPropagation: rootPropagation(input.mounts),
    ...(seccomp === undefined ? {} : { seccomp }),
    ...(Object.keys(sysctl).length === 0 ? {} : { sysctl }),
    ...protectedPaths(security, host.Privileged),
  };
}

function limitsOf({ host, cgroups, onWarning = () => undefined }: SpecInput): Limits {
  const wanted = resourceLimits(host);
  if (cgroups !== undefined) return possibleLimits(wanted, cgroups, onWarning);
  // Docker's, without a root, run without those limits, too (moby, daemon/daemon_unix.go).
  const names = Object.keys(wanted);
  if (names.length > 0) {
    onWarning(`limits of ${names.join(', ')} are not kept: no cgroups are delegated to this user`);
  }
  return {};
}

/** --privileged is without a filter, unless one is asked for. */
function seccompOf(
  { seccomp }: SecurityOptions,
  { Privileged }: HostConfig,
  capabilities: readonly string[],
): OciSeccomp | undefined {
  if (seccomp === 'unconfined' || (Privileged && seccomp === 'default')) return undefined;
  const profile = readSeccompProfile(seccomp === 'default' ? undefined : seccomp);
  return resolveSeccomp(profile, { capabilities, arch: process.arch, kernel: os.release() });
}

/** Docker's: every user may ping and serve on low ports, as a network of one's own is nobody else's (moby, daemon/oci_linux.go). */
const ofOwnNetwork = (): Record<string, string> => ({
  'net.ipv4.ip_unprivileged_port_start': '0',
  // The kernel takes only groups that there are (ping_group_range, net/ipv4/sysctl_net_ipv4.c).
  'net.ipv4.ping_group_range': `0 ${String(Math.min(highestId('gid'), 0x7fff_ffff))}`,
});

function sysctls(
  { Domainname = '' }: ContainerConfig,
  host: HostConfig,
  joined: JoinedNamespaces,
): Record<string, string> {
  const ownNetwork = host.NetworkMode !== 'host' && joined.network === undefined;
  return {
    ...(ownNetwork ? ofOwnNetwork() : {}),
    ...(Domainname === '' || host.UTSMode === 'host' ? {} : { 'kernel.domainname': Domainname }),
    ...host.Sysctls,
  };
}

const INIT_PROGRAMS = [
  '/usr/libexec/podman/catatonit',
  '/usr/bin/catatonit',
  '/usr/bin/docker-init',
  '/usr/bin/tini-static',
];

function findInit(): string {
  const found = INIT_PROGRAMS.find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new VeneerError('unavailable', '--init: there is no init program on this host', { hint: 'install catatonit' });
}
