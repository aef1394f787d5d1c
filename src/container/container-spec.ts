// What a container's runtime is told: its configuration, and what its tree and the host have to do with it.

import { existsSync } from 'node:fs';
import os from 'node:os';
import { buildSpec, readUserDatabase } from '../runtime/index.js';
import type { ContainerConfig, HostConfig, OciSpec } from '../runtime/index.js';
import type { ContainerRecord, Store } from '../store/index.js';
import { documentOf } from './view.js';

export interface ContainerSpecOptions {
  /** Where its tree is mounted. */
  readonly rootfs: string;
}

/** The specification of a mounted container. Throws as `buildSpec`. */
export function containerSpec(store: Store, record: ContainerRecord, { rootfs }: ContainerSpecOptions): OciSpec {
  const { config, host, mounts } = documentOf(store, record);
  return buildSpec({
    config,
    host,
    rootfs,
    hostname: hostnameOf(record.id, config, host),
    users: readUserDatabase(rootfs),
    mounts,
    cgroups: {
      version: cgroupVersion(),
      path: `${host.CgroupParent === '' ? '/veneer' : host.CgroupParent}/${record.id}`,
    },
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

function cgroupVersion(): 1 | 2 {
  return existsSync('/sys/fs/cgroup/cgroup.controllers') ? 2 : 1;
}
