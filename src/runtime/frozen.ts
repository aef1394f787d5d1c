// Whether a process is held by the freezer of its cgroup.

import { readFileSync } from 'node:fs';

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

/** Where the kernel says it (cgroup-v1/freezer-subsystem, cgroup-v2), and in which words. */
interface FreezerState {
  readonly file: string;
  readonly frozen: RegExp;
}

function freezerStates(pid: number): FreezerState[] {
  return read(`/proc/${String(pid)}/cgroup`)
    .split('\n')
    .flatMap((line) => {
      const [, number, controllers = '', path = ''] = /^(\d+):([^:]*):(.*)$/.exec(line) ?? [];
      if (controllers.split(',').includes('freezer')) {
        return { file: `/sys/fs/cgroup/freezer${path}/freezer.state`, frozen: /^(?:FROZEN|FREEZING)/ };
      }
      if (number !== '0' || controllers !== '') return [];
      return { file: `/sys/fs/cgroup${path}/cgroup.events`, frozen: /^frozen 1$/m };
    });
}

export function isFrozen(pid: number): boolean {
  return freezerStates(pid).some(({ file, frozen }) => frozen.test(read(file)));
}

/** Files of the kernel's; while the process is held, one of them has a line FROZEN, FREEZING or `frozen 1`. */
export function freezerFiles(pid: number): string[] {
  return freezerStates(pid).map(({ file }) => file);
}
