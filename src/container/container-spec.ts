// What a container's runtime is told: its configuration, and what its tree and the host have to do with it.

import os from 'node:os';
import type { NetworkState } from '../network/index.js';
import { isRootless } from '../rootless/index.js';
import { buildSpec, cgroupControllers, readUserDatabase, sharedContainer } from '../runtime/index.js';
import type { CgroupPlace, ContainerConfig, EtcFiles, HostConfig, OciSpec } from '../runtime/index.js';
import type { ContainerRecord, Store } from '../store/index.js';
import type { ContainerDocument } from './container-config.js';
import { etcFilesIn, writeEtcFiles } from './etc-files.js';
import { joinedNamespaces } from './joined-namespaces.js';
import { prepareSharedMemory } from './shared-memory.js';
import { documentOf } from './document.js';

export interface ContainerSpecOptions {
  /** Where its tree is mounted. */
  readonly rootfs: string;
  readonly cgroups: CgroupPlace;
  readonly network: NetworkState;
  /** That was made for it. */
  readonly networkNamespace?: string | undefined;
  /** Hears of what was asked for and cannot be had. */
  readonly onWarning: (message: string) => void;
}

/** The specification of a mounted container. Writes its files of /etc, and makes the memory it shares. Throws as `buildSpec`. */
export function containerSpec(store: Store, record: ContainerRecord, options: ContainerSpecOptions): OciSpec {
  const { rootfs, cgroups, networkNamespace, onWarning } = options;
  const document = documentOf(store, record);
  const { config, host, mounts } = document;
  const hostname = hostnameOf(store, record, document);
  return buildSpec({
    config,
    host,
    rootfs,
    hostname,
    users: readUserDatabase(rootfs),
    etcFiles: etcFilesOf(store, record, { ...options, config, host, hostname }),
    mounts,
    ...(cgroups.manager === 'none' ? {} : { cgroups: { ...cgroups, controllers: cgroupControllers(cgroups) } }),
    rootless: isRootless(),
    joined: joinedNamespaces(store, host),
    networkNamespace,
    sharedMemory: prepareSharedMemory(store, record, host),
    onWarning,
  });
}

/** Docker's: the start of the ID, the host's own name where its network is used, or that of whom the network belongs to. */
export function hostnameOf(store: Store, { id }: ContainerRecord, { config, host }: ContainerDocument): string {
  const { Hostname = '' } = config;
  if (Hostname !== '') return Hostname;
  if (host.NetworkMode === 'host' || host.UTSMode === 'host') return os.hostname();
  const other = sharedContainer(host.NetworkMode);
  if (other === undefined) return id.slice(0, 12);
  const owner = store.containers.resolve(other);
  return owner.id === id ? id.slice(0, 12) : hostnameOf(store, owner, documentOf(store, owner));
}

/** Who shares a network shares what is said of it. */
function etcFilesOf(
  store: Store,
  { id }: ContainerRecord,
  input: ContainerSpecOptions & { config: ContainerConfig; host: HostConfig; hostname: string },
): EtcFiles {
  const other = sharedContainer(input.host.NetworkMode);
  if (other === undefined) return writeEtcFiles(store.containers.directory(id), input);
  return etcFilesIn(store.containers.directory(store.containers.resolve(other).id));
}
