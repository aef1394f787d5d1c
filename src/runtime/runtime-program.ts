// Which OCI runtime is used, and how it has to be called here.

import { basename, dirname } from 'node:path';
import { readFileSync } from 'node:fs';
import { VeneerError } from '../core/index.js';
import { findProgram } from './find-program.js';

export interface RuntimeProgram {
  readonly path: string;
  /** Whose words it speaks. */
  readonly kind: 'crun' | 'runc';
}

/** Finds a runtime by name or path; without one, crun, else runc. Throws `unavailable`. */
export function findRuntime(wanted: string | undefined): RuntimeProgram {
  const names = wanted === undefined || wanted === '' ? ['crun', 'runc'] : [wanted];
  for (const name of names) {
    const path = findProgram(name);
    if (path !== undefined) return { path, kind: basename(path).includes('runc') ? 'runc' : 'crun' };
  }
  throw new VeneerError('unavailable', `the OCI runtime ${names.join(' or ')} is not installed`, {
    hint: wanted === undefined ? 'apt-get install crun' : 'name one with --runtime or VENEER_RUNTIME, or by its path',
  });
}

/** Of cgroup v2 beside v1, where systemd puts it. */
const UNIFIED = '/sys/fs/cgroup/unified';

/**
 * A command line that starts the runtime so that it can make containers. crun refuses hosts with controllers of both versions
 * of cgroups; where it does not see the second one, it uses the first. `isShared`: mounts made in the container are seen outside.
 */
export function creatingCommand({ path, kind }: RuntimeProgram, { isShared = false } = {}): string[] {
  const unshare = kind === 'crun' && hasBothVersions() ? findProgram('unshare') : undefined;
  if (unshare === undefined) return [path];
  // Where the container's mounts are to be seen outside, only those of cgroups are kept to this namespace.
  const before = isShared ? `mount --make-rprivate ${dirname(UNIFIED)}; ` : '';
  const script = `${before}umount ${UNIFIED}; exec "$0" "$@"`;
  return [unshare, '-m', '--propagation', isShared ? 'unchanged' : 'slave', '/bin/sh', '-c', script, path];
}

function hasBothVersions(): boolean {
  try {
    return readFileSync(`${UNIFIED}/cgroup.controllers`, 'latin1').trim() !== '';
  } catch {
    return false;
  }
}
