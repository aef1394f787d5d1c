// Whether a process is held by the freezer of its cgroup.

import { readFileSync } from 'node:fs';

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

/** Asks the kernel (cgroup-v1/freezer-subsystem, cgroup-v2). */
export function isFrozen(pid: number): boolean {
  for (const line of read(`/proc/${String(pid)}/cgroup`).split('\n')) {
    const [, number, controllers = '', path = ''] = /^(\d+):([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers.split(',').includes('freezer')) {
      return /^(?:FROZEN|FREEZING)/.test(read(`/sys/fs/cgroup/freezer${path}/freezer.state`));
    }
    if (number === '0' && controllers === '' && /^frozen 1$/m.test(read(`/sys/fs/cgroup${path}/cgroup.events`))) {
      return true;
    }
  }
  return false;
}
