// The options that limit what a container takes of its host.

import { cpus } from 'node:os';
import { VeneerError } from '../core/index.js';
import { isUlimit } from '../runtime/index.js';
import type { HostConfig, Ulimit } from '../runtime/index.js';
import { parseByteSize, parseCount } from './arguments.js';
import type { RunOptions } from './run-options.js';

type Limit =
  | 'Memory'
  | 'MemorySwap'
  | 'MemoryReservation'
  | 'MemorySwappiness'
  | 'OomKillDisable'
  | 'OomScoreAdj'
  | 'NanoCpus'
  | 'CpuShares'
  | 'CpuPeriod'
  | 'CpuQuota'
  | 'CpusetCpus'
  | 'CpusetMems'
  | 'PidsLimit'
  | 'BlkioWeight'
  | 'ShmSize'
  | 'Ulimits';

/** Docker's least. */
const LEAST_MEMORY = 6 * 2 ** 20;

/** Throws `usage`. */
export function limitsOf(options: RunOptions): { [K in Limit]: HostConfig[K] | undefined } {
  const limits = {
    Memory: optional('--memory', options.memory, parseByteSize),
    MemorySwap: optional('--memory-swap', options.memorySwap, orUnlimited(parseByteSize)),
    MemoryReservation: optional('--memory-reservation', options.memoryReservation, parseByteSize),
    MemorySwappiness: optional('--memory-swappiness', options.memorySwappiness, between(-1, 100)),
    OomKillDisable: options.oomKillDisable,
    OomScoreAdj: optional('--oom-score-adj', options.oomScoreAdj, between(-1000, 1000)),
    NanoCpus: optional('--cpus', options.cpus, parseCpus),
    CpuShares: optional('--cpu-shares', options.cpuShares, between(0, 262_144)),
    CpuPeriod: optional('--cpu-period', options.cpuPeriod, between(0, 1_000_000)),
    CpuQuota: optional('--cpu-quota', options.cpuQuota, between(-1, Number.MAX_SAFE_INTEGER)),
    CpusetCpus: optional('--cpuset-cpus', options.cpusetCpus, parseSet),
    CpusetMems: optional('--cpuset-mems', options.cpusetMems, parseSet),
    PidsLimit: optional(
      '--pids-limit',
      options.pidsLimit,
      orUnlimited((option, text) => parseCount(option, text, 0)),
    ),
    BlkioWeight: optional('--blkio-weight', options.blkioWeight, parseWeight),
    ShmSize: optional('--shm-size', options.shmSize, parseByteSize),
    Ulimits: options.ulimit?.map(parseUlimit),
  };
  checkMemory(limits);
  return limits;
}

type Parse<T> = (option: string, text: string) => T;

function optional<T>(option: string, text: string | undefined, parse: Parse<T>): T | undefined {
  return text === undefined ? undefined : parse(option, text);
}

function orUnlimited(parse: Parse<number>): Parse<number> {
  return (option, text) => (text === '-1' ? -1 : parse(option, text));
}

function between(least: number, most: number): Parse<number> {
  return (option, text) => {
    const number = /^-?[0-9]{1,15}$/.test(text) ? Number(text) : NaN;
    if (number >= least && number <= most) return number;
    throw new VeneerError('usage', `${option} '${text}': it is a number from ${String(least)} to ${String(most)}`);
  };
}

/** Docker's bounds: there is no use in more than there are. 0 stands for all. */
function parseCpus(option: string, text: string): number {
  if (!/^[0-9]{1,5}(?:\.[0-9]{1,9})?$/.test(text)) {
    throw new VeneerError('usage', `${option} '${text}': it is a number such as 0.5 or 2`);
  }
  const [number, most] = [Number(text), cpus().length];
  if (number !== 0 && (number < 0.01 || number > most)) {
    throw new VeneerError('usage', `${option} '${text}': it is 0.01 to ${String(most)}, as many as this host has`);
  }
  return Math.round(number * 1e9);
}

function parseSet(option: string, text: string): string {
  if (/^[0-9]+(?:-[0-9]+)?(?:,[0-9]+(?:-[0-9]+)?)*$/.test(text)) return text;
  throw new VeneerError('usage', `${option} '${text}': it is a list such as 0-2,4`);
}

function parseWeight(option: string, text: string): number {
  return text === '0' ? 0 : between(10, 1000)(option, text);
}

function parseUlimit(text: string): Ulimit {
  const [, name = '', soft = '', hard = soft] =
    /^([a-z]+)=(-1|unlimited|[0-9]{1,15})(?::(-1|unlimited|[0-9]{1,15}))?$/.exec(text) ?? [];
  if (!isUlimit(name)) {
    throw new VeneerError('usage', `--ulimit '${text}': write NAME=SOFT[:HARD]`, { hint: 'as in nofile=1024:2048' });
  }
  const limit = { Name: name, Soft: numberOf(soft), Hard: numberOf(hard) };
  if (limit.Hard >= 0 && (limit.Soft < 0 || limit.Soft > limit.Hard)) {
    throw new VeneerError('usage', `--ulimit '${text}': the soft limit is above the hard one`);
  }
  return limit;
}

const numberOf = (text: string): number => (text === 'unlimited' ? -1 : Number(text));

function checkMemory(limits: {
  Memory: number | undefined;
  MemorySwap: number | undefined;
  MemoryReservation: number | undefined;
}): void {
  const { Memory: memory = 0, MemorySwap: swap = 0, MemoryReservation: reservation = 0 } = limits;
  if (memory > 0 && memory < LEAST_MEMORY) {
    throw new VeneerError('usage', `--memory: nothing runs in less than 6m`);
  }
  if (swap > 0 && memory === 0) throw new VeneerError('usage', '--memory-swap needs --memory');
  if (swap > 0 && swap < memory) {
    throw new VeneerError('usage', '--memory-swap is memory and swap together: it must not be less than --memory');
  }
  if (reservation > 0 && memory > 0 && reservation > memory) {
    throw new VeneerError('usage', '--memory-reservation must not be more than --memory');
  }
}
