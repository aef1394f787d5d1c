// What of a container's configuration its life depends on.

import type { ContainerRecord, Store } from '../store/index.js';
import { documentOf } from './view.js';

export interface RunSettings {
  readonly terminal: boolean;
  readonly stdin: 'none' | 'once' | 'open';
  readonly stopSignal: string | undefined;
  /** Seconds. */
  readonly stopTimeout: number | undefined;
  readonly autoRemove: boolean;
  readonly restart: { readonly name: string; readonly maximum: number };
  readonly runtime: string | undefined;
  /** Of --cgroup-parent, or ''. */
  readonly cgroupParent: string;
}

export function runSettings(store: Store, record: ContainerRecord): RunSettings {
  const { config, host } = documentOf(store, record);
  return {
    terminal: config.Tty === true,
    stdin: config.OpenStdin !== true ? 'none' : config.StdinOnce === true ? 'once' : 'open',
    stopSignal: config.StopSignal,
    stopTimeout: config.StopTimeout,
    autoRemove: host.AutoRemove,
    restart: { name: host.RestartPolicy.Name, maximum: host.RestartPolicy.MaximumRetryCount },
    runtime: host.Runtime === '' ? undefined : host.Runtime,
    cgroupParent: host.CgroupParent,
  };
}
