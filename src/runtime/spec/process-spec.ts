// The process of a container, its first one or one that `exec` adds.

import { readFileSync } from 'node:fs';
import { VeneerError } from '../../core/index.js';
import { isRootless } from '../../rootless/index.js';
import { boundingCapabilities, resolveCapabilities } from './capabilities.js';
import type { ContainerConfig } from './container-config.js';
import { environment } from './environment.js';
import type { HostConfig } from './host-config.js';
import type { OciCapabilities, OciProcess } from './oci-spec.js';
import { processLimits } from './resources.js';
import { parseSecurityOptions } from './security-options.js';
import { resolveUser } from './user-database.js';
import type { UserDatabase } from './user-database.js';

/** How a process differs from what the container's configuration says. */
export interface ProcessRequest {
  readonly args?: readonly string[];
  readonly tty?: boolean;
  /** `NAME=VALUE`, or a NAME that is taken away. */
  readonly env?: readonly string[];
  /** As USER. */
  readonly user?: string;
  readonly cwd?: string;
  /** All capabilities there are, no filter of system calls. */
  readonly privileged?: boolean;
  readonly size?: { readonly rows: number; readonly columns: number };
}

export interface ProcessInput {
  readonly config: ContainerConfig;
  readonly host: HostConfig;
  readonly users: UserDatabase;
  readonly hostname: string;
  readonly request?: ProcessRequest;
  readonly onWarning?: (message: string) => void;
}

/** What a container runs. Throws `invalid` where that is nothing. */
export function commandOf({ Entrypoint, Cmd }: ContainerConfig): readonly [string, ...string[]] {
  const [program = '', ...args] = [...(Entrypoint ?? []), ...(Cmd ?? [])];
  if (program !== '') return [program, ...args];
  throw new VeneerError('invalid', 'there is no command to run: the image has none', {
    hint: 'name one after the image',
  });
}

/** Throws `invalid` without a command, `not-found` for a user the container does not know, `permission` for a capability. */
export function processSpec({ config, host, users, hostname, request = {}, onWarning }: ProcessInput): OciProcess {
  const { args = commandOf(config), tty = config.Tty === true, size } = request;
  const { home, ...user } = resolveUser(users, request.user ?? config.User ?? '', host.GroupAdd);
  const security = parseSecurityOptions(host.SecurityOpt);
  const apparmor = host.Privileged ? undefined : security.apparmor;
  const privileged = host.Privileged || request.privileged === true;
  const capabilities = resolveCapabilities({ ...host, Privileged: privileged }, boundingCapabilities());
  const rlimits = processLimits(host.Ulimits, onWarning ?? (() => undefined));
  const variables = [...(config.Env ?? []), ...(request.env ?? [])];
  return {
    terminal: tty,
    ...(size === undefined ? {} : { consoleSize: { height: size.rows, width: size.columns } }),
    user,
    args,
    env: environment({ hostname, tty, home, variables }),
    cwd: request.cwd ?? workingDirectory(config),
    capabilities: capabilitySets(capabilities, user.uid),
    ...(rlimits.length === 0 ? {} : { rlimits }),
    noNewPrivileges: security.noNewPrivileges,
    ...(host.OomScoreAdj === 0 ? {} : { oomScoreAdj: oomScore(host.OomScoreAdj, onWarning) }),
    ...(apparmor === undefined || apparmor === 'unconfined' ? {} : { apparmorProfile: apparmor }),
  };
}

/** Only the machine's root may be spared more than who started him (oom_score_adj_write, fs/proc/base.c). */
function oomScore(wanted: number, onWarning: ProcessInput['onWarning']): number {
  const least = isRootless() ? Number(readFileSync('/proc/self/oom_score_adj', 'latin1')) : wanted;
  if (wanted >= least) return wanted;
  onWarning?.(`--oom-score-adj is ${String(least)} instead of ${String(wanted)}: it may not be lowered here`);
  return least;
}

function workingDirectory({ WorkingDir = '' }: ContainerConfig): string {
  return WorkingDir === '' ? '/' : WorkingDir;
}

/** A user other than root may get back what it gives up by set-user-ID programs only (moby, oci.SetCapabilities). */
function capabilitySets(names: readonly string[], uid: number): OciCapabilities {
  return uid === 0 ? { bounding: names, effective: names, permitted: names } : { bounding: names };
}
