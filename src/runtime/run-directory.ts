// Where things of running containers are: a directory that no boot outlives, private to its user, for each store.

import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { VeneerError } from '../core/index.js';

export interface RunContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly uid: number;
}

/** Somebody else may have made it, in a temporary directory above all, to have us write where they like. */
function isOurs(directory: string, uid: number): boolean {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const stat = lstatSync(directory);
    return stat.isDirectory() && stat.uid === uid && (stat.mode & 0o022) === 0;
  } catch {
    // Root of a user namespace may not write to /run: the next one is as good.
    return false;
  }
}

/**
 * The run directory of a store: below /run/veneer for root, the user's runtime directory, or a temporary one. The names in it are short: a
 * socket's path must fit into 107 bytes. It is made where it is not. Throws `permission`.
 */
export function runDirectory(store: string, { env, uid }: RunContext): string {
  const runtime = env['XDG_RUNTIME_DIR'];
  const parents = [
    ...(uid === 0 ? ['/run/veneer'] : []),
    ...(runtime?.startsWith('/') === true ? [join(runtime, 'veneer')] : []),
    `/tmp/veneer-${String(uid)}`,
  ];
  const parent = parents.find((directory) => isOurs(directory, uid));
  if (parent === undefined) {
    throw new VeneerError(
      'permission',
      `no directory for running containers: neither of ${parents.join(', ')} can be used`,
      {
        hint: 'set XDG_RUNTIME_DIR to a directory of your own',
      },
    );
  }
  const directory = join(parent, createHash('sha256').update(store).digest('hex').slice(0, 16));
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return directory;
}

/** What there is of one running container. */
export interface RunFiles {
  /** Also the bundle: the specification is in it. */
  readonly directory: string;
  readonly spec: string;
  /** Of the container's first process. */
  readonly pidFile: string;
  readonly monitorPidFile: string;
  /** conmon writes the exit code here, and after everything else. */
  readonly exit: string;
  /** There when the kernel has killed for want of memory. */
  readonly oom: string;
  /** There when who started it in the foreground has left it. */
  readonly left: string;
  /** A socket of conmon's: the container's standard streams. */
  readonly attach: string;
  /** A fifo of conmon's: sizes of the terminal. */
  readonly control: string;
}

const SHORT_ID = 12;

export function runFiles(runDirectory: string, id: string): RunFiles {
  const directory = join(runDirectory, id.slice(0, SHORT_ID));
  const below = (name: string): string => join(directory, name);
  return {
    directory,
    spec: below('config.json'),
    pidFile: below('pidfile'),
    monitorPidFile: below('conmon.pid'),
    exit: below('exit'),
    oom: below('oom'),
    left: below('left'),
    attach: below('attach'),
    control: below('ctl'),
  };
}
