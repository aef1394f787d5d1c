// What a container's runtime is told: its configuration, and what its tree and the host have to do with it.

import os from 'node:os';
import { isRootless } from '../rootless/index.js';
import { buildSpec, readUserDatabase } from '../runtime/index.js';
import type { CgroupPlace, ContainerConfig, HostConfig, OciSpec } from '../runtime/index.js';
import type { ContainerRecord, Store } from '../store/index.js';
import { joinedNamespaces } from './joined-namespaces.js';
import { documentOf } from './view.js';

export interface ContainerSpecOptions {
  /** Where its tree is mounted. */
  readonly rootfs: string;
  readonly cgroups: CgroupPlace;
  readonly onWarning?: ((message: string) => void) | undefined;
}

/** The specification of a mounted container. Throws as `buildSpec`. */
export function containerSpec(store: Store, record: ContainerRecord, options: ContainerSpecOptions): OciSpec {
  const { rootfs, cgroups, onWarning } = options;
  const { config, host, mounts } = documentOf(store, record);
  return buildSpec({
    config,
    host,
    rootfs,
    hostname: hostnameOf(record.id, config, host),
    users: readUserDatabase(rootfs),
    mounts,
    ...(cgroups.manager === 'none' ? {} : { cgroups }),
    rootless: isRootless(),
    joined: joinedNamespaces(store, host),
    ...(onWarning === undefined ? {} : { onWarning }),
  });
}

/** Docker's: the start of the ID, or the host's own name where its network is used. */
export function hostnameOf(
  id: string,
  { Hostname = '' }: ContainerConfig,
  { NetworkMode, UTSMode }: HostConfig,
): string {
  if (Hostname !== '') return Hostname;
  return NetworkMode === 'host' || UTSMode === 'host' ? os.hostname() : id.slice(0, 12);
}
