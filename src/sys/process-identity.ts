// Processes that are known by more than their number, which the kernel gives again (proc_pid_stat(5)).

import { readFileSync, readdirSync } from 'node:fs';

/** A process, and not another one that was given its number later in the same boot. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it was started: clock ticks since boot. */
  readonly start: number;
}

/** The numbers of all processes that there are now, zombies included. */
export function processNumbers(): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number);
}

/** What follows the name in /proc/PID/stat, which may hold anything: state, parent, and so on from field 3 on. */
function fieldsOf(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

const STATE = 0;
const START = 19;

/** The process that has a number now; undefined where it has ended, waited for or not. */
export function identityOf(pid: number): ProcessIdentity | undefined {
  const fields = fieldsOf(pid);
  const state = fields?.[STATE];
  if (fields === undefined || state === 'Z' || state === 'X') return undefined;
  return { pid, start: Number(fields[START]) };
}

/** Whether a process of this boot still runs. */
export function isRunning(process: ProcessIdentity | undefined): boolean {
  return process !== undefined && identityOf(process.pid)?.start === process.start;
}

/** Whether a process of this boot is stopped, by a signal or a debugger: it does nothing until it is let go on. */
export function isHalted(process: ProcessIdentity | undefined): boolean {
  if (process === undefined) return false;
  const fields = fieldsOf(process.pid);
  return fields !== undefined && /[Tt]/.test(fields[STATE] ?? '') && Number(fields[START]) === process.start;
}

let boot: string | undefined;

/** What tells one boot of the machine from another (random(4)). */
export function bootId(): string {
  return (boot ??= readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim());
}
