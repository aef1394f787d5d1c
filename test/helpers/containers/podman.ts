// podman on the machine of the tests, with storage of its own, to compare with.
//
// Its defaults fail where root lacks CAP_SYS_RESOURCE (it raises RLIMIT_NOFILE and RLIMIT_NPROC) and where cgroups are hybrid (crun
// refuses a cgroup v2 that has controllers beside v1). So it gets a configuration without limits, and a crun that does not see
// /sys/fs/cgroup/unified, where that has controllers.

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { run } from '../other-process.js';
import type { ProgramResult } from '../other-process.js';

const SHIM = `#!/bin/sh
exec unshare -m --propagation slave sh -c 'umount /sys/fs/cgroup/unified && exec crun "$@"' crun "$@"
`;

export interface Podman {
  /** What precedes the command: `podman --root …`. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  run(...args: string[]): Promise<ProgramResult>;
}

/** Writes what it needs into an empty directory, where its storage is, too. */
export function podmanIn(dir: string): Podman {
  const configuration = path.join(dir, 'containers.conf');
  const shim = path.join(dir, 'crun-without-unified');
  writeFileSync(shim, SHIM, { mode: 0o755 });
  writeFileSync(
    configuration,
    '[containers]\ndefault_ulimits = []\n[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n',
  );
  const places = ['--root', path.join(dir, 'storage'), '--runroot', path.join(dir, 'run')];
  const argv = ['podman', '--log-level=error', ...places, '--tmpdir', path.join(dir, 'tmp')];
  if (hasHybridControllers()) argv.push('--runtime', shim);
  const env = { CONTAINERS_CONF: configuration };
  return {
    argv,
    env,
    run: (...args) => run(argv[0]!, [...argv.slice(1), ...args], { env: { ...process.env, ...env } }),
  };
}

function hasHybridControllers(): boolean {
  try {
    return readFileSync('/sys/fs/cgroup/unified/cgroup.controllers', 'latin1').trim() !== '';
  } catch {
    return false;
  }
}
