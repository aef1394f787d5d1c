// `top`: what runs in a container, as the host's ps shows it.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { VeneerError, hasCode } from '../core/index.js';
import { Cgroups } from '../runtime/index.js';
import type { Store } from '../store/index.js';
import { processNumbers } from '../sys/index.js';
import { containerState } from './state.js';

export interface ProcessTable {
  readonly titles: readonly string[];
  readonly processes: readonly (readonly string[])[];
}

/**
 * Runs ps with the given arguments and keeps the lines of the container's processes. Throws `invalid` where the container does not run, where
 * ps does not take the arguments, or its output has no PID; `unavailable` without ps.
 */
export function containerProcesses(store: Store, reference: string, args: readonly string[] = ['-ef']): ProcessTable {
  const record = store.containers.resolve(reference);
  const { pid } = containerState(store, record);
  if (pid === undefined) {
    throw new VeneerError('invalid', `container ${record.name} is not running`, {
      hint: `start it: veneer start ${record.name}`,
    });
  }
  const members = new Set(new Cgroups(pid, record.id).processes() ?? descendantsOf(pid));
  return chooseProcesses(runPs(args), members);
}

function runPs(args: readonly string[]): string {
  const { error, status, stdout, stderr } = spawnSync('ps', args, { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (error !== undefined) {
    throw new VeneerError(
      'unavailable',
      `cannot run 'ps': ${hasCode(error, 'ENOENT') ? 'it is not installed' : error.message}`,
      {
        cause: error,
        hint: 'install procps',
      },
    );
  }
  if (status === 0) return stdout;
  throw new VeneerError('invalid', `ps ${args.join(' ')}: ${stderr.trim().split('\n')[0] ?? 'it failed'}`);
}

/** The lines of some processes; all but the last column are one word each. */
export function chooseProcesses(output: string, members: ReadonlySet<number>): ProcessTable {
  const [titles = [], ...lines] = output.split('\n').map((line) => line.trim().split(/\s+/));
  const column = titles.indexOf('PID');
  if (column < 0) {
    throw new VeneerError('invalid', 'the output of ps has no column PID', { hint: 'ask for it, too: -o pid,comm' });
  }
  const last = titles.length - 1;
  const processes = lines
    .filter((words) => members.has(Number(words[column])))
    .map((words) => [...words.slice(0, last), words.slice(last).join(' ')]);
  return { titles, processes };
}

/** Without a cgroup of its own, what a container has started is what its first process has. */
function descendantsOf(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const number of processNumbers()) {
    const parent = parentOf(number);
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), number]);
  }
  const found = [pid];
  for (const one of found) found.push(...(children.get(one) ?? []));
  return found;
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined;
  }
}
