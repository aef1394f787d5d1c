// The cgroups of a container, of version 1 and 2: which processes are in them, and what these have used.

import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** '' where there is no such file: a controller that is not there, or a container that has just ended. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

/** The number after a key at the start of a line. */
function field(text: string, key: string): number {
  return Number(new RegExp(`^${key} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
}

/** `max`, and what version 1 says in its place, are no limit. */
function limitOf(text: string): number {
  const value = /^\d+/.exec(text)?.[0];
  return value === undefined ? Number.POSITIVE_INFINITY : Number(value);
}

export interface CgroupUsage {
  /** Of all processors together, in nanoseconds. */
  readonly processor: number;
  /** In bytes, without pages of files that nobody has used lately. */
  readonly memory: number;
  readonly memoryLimit: number;
  readonly processes: number;
  readonly processLimit: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

/**
 * The container's own cgroup, of one of its processes'; undefined where that is one that others are in, too, which says nothing about the
 * container. In a scope of systemd's, crun has the limits in a cgroup `container` below (crun(1), run.oci.systemd.subgroup).
 */
export function containerCgroup(found: string, id: string): string | undefined {
  return new RegExp(`^.*?/[^/]*${id}(?:\\.scope/container(?=/|$)|[^/]*)`).exec(found)?.[0];
}

export class Cgroups {
  /** By controller; version 2 is ''. */
  readonly #directories = new Map<string, string>();

  /** Those of a container, by one of its processes. What programs in it have made below is the container's, too. */
  constructor(pid: number, id: string) {
    for (const line of read(`/proc/${String(pid)}/cgroup`).split('\n')) {
      const [, controllers = '', found = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
      const path = containerCgroup(found, id);
      if (path === undefined) continue;
      if (controllers === '') this.#add('', path, ['', 'unified']);
      for (const name of controllers.split(',')) if (name !== '') this.#add(name, path, [controllers, name]);
    }
  }

  #add(controller: string, path: string, mounts: readonly string[]): void {
    // All its processes may be further below.
    const directory = mounts
      .map((mount) => join('/sys/fs/cgroup', mount, path))
      .find((candidate) => existsSync(join(candidate, 'cgroup.procs')));
    if (directory !== undefined) this.#directories.set(controller, directory);
  }

  #read(controller: string, file: string): string {
    const directory = this.#directories.get(controller);
    return directory === undefined ? '' : read(join(directory, file));
  }

  /** The processes; undefined where the container has no cgroup of its own. */
  processes(): number[] | undefined {
    const [directory] = this.#directories.values();
    return directory === undefined ? undefined : [...processesBelow(directory)];
  }

  /** Undefined where the container has no cgroup of its own. */
  usage(): CgroupUsage | undefined {
    if (this.#directories.size === 0) return undefined;
    return this.#directories.has('memory') || this.#directories.has('cpuacct') ? this.#usage1() : this.#usage2();
  }

  #usage1(): CgroupUsage {
    const inactive = field(this.#read('memory', 'memory.stat'), 'total_inactive_file');
    const io = this.#read('blkio', 'blkio.throttle.io_service_bytes_recursive');
    const bytes = (operation: string): number => sum(io.matchAll(new RegExp(`^\\d+:\\d+ ${operation} (\\d+)$`, 'gm')));
    return {
      processor: Number(this.#read('cpuacct', 'cpuacct.usage')),
      memory: Math.max(Number(this.#read('memory', 'memory.usage_in_bytes')) - inactive, 0),
      memoryLimit: limitOf(this.#read('memory', 'memory.limit_in_bytes')),
      processes: this.#count('pids'),
      processLimit: limitOf(this.#read('pids', 'pids.max')),
      bytesRead: bytes('Read'),
      bytesWritten: bytes('Write'),
    };
  }

  #usage2(): CgroupUsage {
    const inactive = field(this.#read('', 'memory.stat'), 'inactive_file');
    const io = this.#read('', 'io.stat');
    return {
      processor: field(this.#read('', 'cpu.stat'), 'usage_usec') * 1000,
      memory: Math.max(Number(this.#read('', 'memory.current')) - inactive, 0),
      memoryLimit: limitOf(this.#read('', 'memory.max')),
      processes: this.#count(''),
      processLimit: limitOf(this.#read('', 'pids.max')),
      bytesRead: sum(io.matchAll(/ rbytes=(\d+)/g)),
      bytesWritten: sum(io.matchAll(/ wbytes=(\d+)/g)),
    };
  }

  #count(controller: string): number {
    const current = this.#read(controller, 'pids.current');
    return current === '' ? (this.processes()?.length ?? 0) : Number(current);
  }
}

function sum(matches: Iterable<RegExpMatchArray>): number {
  let total = 0;
  for (const [, digits] of matches) total += Number(digits);
  return total;
}

function* processesBelow(directory: string): Generator<number, void> {
  for (const line of read(join(directory, 'cgroup.procs')).split('\n')) if (line !== '') yield Number(line);
  let names: string[] = [];
  try {
    names = readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    // Gone meanwhile.
  }
  for (const name of names) yield* processesBelow(join(directory, name));
}
