// What of a container's configuration its life depends on.

import { VeneerError } from '../core/index.js';
import type { LogConfig, MountPoint } from '../runtime/index.js';
import type { ContainerRecord, Store } from '../store/index.js';
import { documentOf } from './document.js';

export interface RunSettings {
  readonly terminal: boolean;
  readonly stdin: 'none' | 'once' | 'open';
  readonly stopSignal: string | undefined;
  /** Seconds. */
  readonly stopTimeout: number | undefined;
  readonly autoRemove: boolean;
  readonly mounts: readonly MountPoint[];
  readonly restart: { readonly name: string; readonly maximum: number };
  readonly runtime: string | undefined;
  /** Of --cgroup-parent, or ''. */
  readonly cgroupParent: string;
  /** Undefined where nothing is to be kept of what it writes; the size is in bytes. */
  readonly log: { readonly maxSize?: number } | undefined;
}

export function runSettings(store: Store, record: ContainerRecord): RunSettings {
  const { config, host, mounts } = documentOf(store, record);
  return {
    terminal: config.Tty === true,
    stdin: config.OpenStdin !== true ? 'none' : config.StdinOnce === true ? 'once' : 'open',
    stopSignal: config.StopSignal,
    stopTimeout: config.StopTimeout,
    autoRemove: host.AutoRemove,
    mounts,
    restart: { name: host.RestartPolicy.Name, maximum: host.RestartPolicy.MaximumRetryCount },
    runtime: host.Runtime === '' ? undefined : host.Runtime,
    cgroupParent: host.CgroupParent,
    log: logOf(host.LogConfig),
  };
}

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };

function logOf({ Type, Config }: LogConfig): RunSettings['log'] {
  if (Type === 'none') return undefined;
  const size = Config['max-size'];
  if (size === undefined || size === '-1') return {};
  const [, digits, unit = ''] = /^([0-9]{1,12})([kmg]?)(?:i?b)?$/i.exec(size) ?? [];
  const bytes = Number(digits) * (UNITS[unit.toLowerCase()] ?? 1);
  if (Number.isSafeInteger(bytes) && bytes > 0) return { maxSize: bytes };
  throw new VeneerError('invalid', `--log-opt max-size=${size}: it is not a size`, {
    hint: 'write bytes, or 512k, 10m, 1g',
  });
}
