// Mounts and the processes that serve them.

import { readFileSync, readdirSync } from 'node:fs';

const unescape = (name: string): string =>
  name.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));

/** Mount points at or below a directory, in the order in which they were mounted. */
export function mountsBelow(dir: string): string[] {
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => unescape(line.split(' ')[1] ?? ''))
    .filter((mount) => mount === dir || mount.startsWith(`${dir}/`));
}

function argumentsOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0');
  } catch {
    // It has ended meanwhile.
    return [];
  }
}

/** Processes that have this mount point as an argument: FUSE servers have. */
export function serversOf(mountpoint: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && argumentsOf(name).includes(mountpoint))
    .map(Number);
}

/** Seconds of processor time, the kernel's part included, that these processes have used. */
export function processorTime(pids: readonly number[]): number {
  const TICKS = 100;
  let ticks = 0;
  for (const pid of pids) {
    // Fields 14 and 15, counted from behind the name, which may contain anything.
    const fields = readFileSync(`/proc/${String(pid)}/stat`, 'latin1')
      .split(') ')
      .at(-1)!
      .split(' ');
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks / TICKS;
}
