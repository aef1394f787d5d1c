// Limits: what the control group of a container allows, and its processes' own limits.

import { VeneerError } from '../../core/index.js';
import { hasCapability } from './capabilities.js';
import type { HostConfig, Ulimit } from './host-config.js';
import type { OciResources, OciRlimit } from './oci-spec.js';
import { isRootless } from '../../rootless/index.js';
import { getResourceLimit } from '../../sys/index.js';

const PERIOD = 100_000;

export type Limits = Omit<OciResources, 'devices'>;

export function resourceLimits(host: HostConfig): Limits {
  const memory = memoryLimits(host);
  const cpu = cpuLimits(host);
  return {
    ...(Object.keys(memory).length === 0 ? {} : { memory }),
    ...(Object.keys(cpu).length === 0 ? {} : { cpu }),
    ...(host.PidsLimit > 0 ? { pids: { limit: host.PidsLimit } } : {}),
    ...(host.BlkioWeight > 0 ? { blockIO: { weight: host.BlkioWeight } } : {}),
  };
}

function memoryLimits(host: HostConfig): NonNullable<OciResources['memory']> {
  const { Memory, MemorySwap, MemoryReservation, MemorySwappiness, OomKillDisable } = host;
  // Docker's: a limit of memory alone allows as much swap again.
  const swap = MemorySwap === 0 ? Memory * 2 : MemorySwap;
  return {
    ...(Memory > 0 ? { limit: Memory } : {}),
    ...(swap !== 0 ? { swap } : {}),
    ...(MemoryReservation > 0 ? { reservation: MemoryReservation } : {}),
    ...(MemorySwappiness >= 0 ? { swappiness: MemorySwappiness } : {}),
    ...(OomKillDisable ? { disableOOMKiller: true } : {}),
  };
}

function cpuLimits(host: HostConfig): NonNullable<OciResources['cpu']> {
  const { NanoCpus, CpuShares, CpuPeriod, CpuQuota, CpusetCpus, CpusetMems } = host;
  const quota = NanoCpus > 0 ? { quota: Math.round((NanoCpus / 1e9) * PERIOD), period: PERIOD } : {};
  return {
    ...quota,
    ...(CpuShares > 0 ? { shares: CpuShares } : {}),
    ...(CpuPeriod > 0 ? { period: CpuPeriod } : {}),
    ...(CpuQuota > 0 ? { quota: CpuQuota } : {}),
    ...(CpusetCpus === '' ? {} : { cpus: CpusetCpus }),
    ...(CpusetMems === '' ? {} : { mems: CpusetMems }),
  };
}

/** By number: asm-generic/resource.h, which holds on all machines Node runs on but mips. */
const RESOURCES =
  `cpu fsize data stack core rss nproc nofile memlock as locks sigpending msgqueue nice rtprio rttime`.split(' ');

/** Whether there is a resource limit of this name. */
export function isUlimit(name: string): boolean {
  return RESOURCES.includes(name);
}

const INFINITY = 2n ** 64n - 1n;
const limitOf = (value: number): bigint => (value < 0 ? INFINITY : BigInt(value));
const least = (one: bigint, other: bigint): bigint => (one < other ? one : other);

/**
 * The limits of processes. Who may not raise a hard limit gives the highest there is, and `onWarning` hears of it. Throws `invalid`.
 */
export function processLimits(ulimits: readonly Ulimit[], onWarning: (message: string) => void): OciRlimit[] {
  // The kernel asks for the capability in the machine's own namespace (do_prlimit, kernel/sys.c).
  const mayRaise = ulimits.length === 0 || (!isRootless() && hasCapability('CAP_SYS_RESOURCE'));
  return ulimits.map(({ Name, Soft, Hard }) => {
    const resource = RESOURCES.indexOf(Name);
    if (resource < 0) throw new VeneerError('invalid', `there is no resource limit '${Name}'`);
    const type = `RLIMIT_${Name.toUpperCase()}`;
    const [soft, hard] = [limitOf(Soft), limitOf(Hard)];
    const most = mayRaise ? INFINITY : getResourceLimit(resource).hard;
    if (hard <= most) return { type, soft, hard };
    onWarning(
      `the limit ${Name} is ${String(most)} instead of ${Hard < 0 ? 'unlimited' : String(Hard)}: it may not be raised here`,
    );
    return { type, soft: least(soft, most), hard: most };
  });
}
