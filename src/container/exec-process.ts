// What the runtime is told of a further process in a container.

import { cgroupPlace, processSpec, readUserDatabase } from '../runtime/index.js';
import type { CgroupPlace, OciProcess, ProcessRequest } from '../runtime/index.js';
import type { ContainerRecord, Store } from '../store/index.js';
import { documentOf } from './document.js';

/** The container is mounted: users are looked up in its tree. */
export function execProcess(
  store: Store,
  record: ContainerRecord,
  request: ProcessRequest,
): { process: OciProcess; cgroups: CgroupPlace['manager'] } {
  const { config, host } = documentOf(store, record);
  const users = readUserDatabase(record.mountpoint ?? '');
  const hostname = config.Hostname ?? record.id.slice(0, 12);
  return {
    process: processSpec({ config, host, users, hostname, request }),
    cgroups: cgroupPlace(record.id, host.CgroupParent).manager,
  };
}
