// Which limits the control groups of this machine can keep.

import { isRootless } from '../../rootless/index.js';
import type { Limits } from './resources.js';

/** The control groups that a container gets. */
export interface CgroupKind {
  readonly version: 1 | 2;
  /** Those of version 2 that there are for it; without, nobody knows. */
  readonly controllers?: readonly string[] | undefined;
}

/** Docker's: limits that cannot be had are left out, and `onWarning` hears of them (moby, verifyPlatformContainerResources). */
export function possibleLimits(limits: Limits, kind: CgroupKind, onWarning: (message: string) => void): Limits {
  const { version, controllers } = kind;
  if (version === 1) return limits;
  const has = (controller: string): boolean => controllers?.includes(controller) !== false;
  const { pids, blockIO } = limits;
  const { swappiness, disableOOMKiller, ...memory } = limits.memory ?? {};
  const { cpus: _cpus, mems: _mems, ...cpu } = limits.cpu ?? {};
  const { shares: _shares, quota: _quota, period: _period, ...cpuset } = limits.cpu ?? {};

  const unknown = [
    ...(swappiness === undefined ? [] : ['--memory-swappiness']),
    ...(disableOOMKiller === undefined ? [] : ['--oom-kill-disable']),
  ];
  for (const option of unknown) onWarning(`${option} means nothing here: cgroups of version 2 have no such thing`);
  const missing = Object.entries({ memory, cpu, cpuset, pids, io: blockIO })
    .filter(([controller, values = {}]) => Object.keys(values).length > 0 && !has(controller))
    .map(([controller]) => controller);
  if (missing.length > 0) {
    const why = isRootless() ? 'that is not delegated to this user' : 'which this machine does not have';
    onWarning(`limits of ${missing.join(', ')} are not kept: they need a controller of cgroups ${why}`);
  }

  return {
    ...(has('memory') ? { memory } : {}),
    cpu: { ...(has('cpu') ? cpu : {}), ...(has('cpuset') ? cpuset : {}) },
    ...(pids !== undefined && has('pids') ? { pids } : {}),
    ...(blockIO !== undefined && has('io') ? { blockIO } : {}),
  };
}
