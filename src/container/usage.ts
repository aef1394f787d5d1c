// What a running container uses: of processors, memory, networks, disks.

import { readFileSync, readlinkSync } from 'node:fs';
import { totalmem } from 'node:os';
import { Cgroups } from '../runtime/index.js';
import type { CgroupUsage } from '../runtime/index.js';
import type { ContainerRecord, Store } from '../store/index.js';
import { containerState } from './state.js';

export interface ContainerUsage extends CgroupUsage {
  /** Of all interfaces but the loopback one; 0 where it shares the host's network. */
  readonly bytesReceived: number;
  readonly bytesSent: number;
  /** When it was looked at: milliseconds of the process's own clock. */
  readonly time: number;
}

/** What it has used since it was started; undefined where it does not run, or has no cgroup of its own. */
export function containerUsage(store: Store, record: ContainerRecord): ContainerUsage | undefined {
  const { pid } = containerState(store, record);
  const usage = pid === undefined ? undefined : new Cgroups(pid, record.id).usage();
  if (pid === undefined || usage === undefined) return undefined;
  const memoryLimit = Math.min(usage.memoryLimit, totalmem());
  return { ...usage, memoryLimit, ...traffic(pid), time: performance.now() };
}

const NO_TRAFFIC = { bytesReceived: 0, bytesSent: 0 };

function traffic(pid: number): { bytesReceived: number; bytesSent: number } {
  try {
    if (readlinkSync(`/proc/${String(pid)}/ns/net`) === readlinkSync('/proc/self/ns/net')) return NO_TRAFFIC;
    return parseTraffic(readFileSync(`/proc/${String(pid)}/net/dev`, 'latin1'));
  } catch {
    // It has ended meanwhile.
    return NO_TRAFFIC;
  }
}

/** Of a /proc/PID/net/dev (dev_seq_printf_stats, net/core/net-procfs.c). */
export function parseTraffic(text: string): { bytesReceived: number; bytesSent: number } {
  let [bytesReceived, bytesSent] = [0, 0];
  for (const line of text.split('\n')) {
    const [, name, numbers = ''] = /^\s*([^\s:]+):\s*(.*)$/.exec(line) ?? [];
    if (name === undefined || name === 'lo') continue;
    const columns = numbers.trim().split(/\s+/).map(Number);
    bytesReceived += columns[0] ?? 0;
    bytesSent += columns[8] ?? 0;
  }
  return { bytesReceived, bytesSent };
}

/** The share of one processor between two looks: 2 is two processors all the time. */
export function processorShare(before: ContainerUsage | undefined, after: ContainerUsage): number {
  const elapsed = before === undefined ? 0 : (after.time - before.time) * 1e6;
  return elapsed <= 0 ? 0 : Math.max(after.processor - (before?.processor ?? 0), 0) / elapsed;
}
