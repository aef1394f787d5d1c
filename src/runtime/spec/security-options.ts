// `--security-opt`: NAME, NAME=VALUE or NAME:VALUE.

import { VeneerError } from '../../core/index.js';

export interface SecurityOptions {
  /** 'default', 'unconfined', or a file. */
  readonly seccomp: string;
  readonly noNewPrivileges: boolean;
  readonly apparmor: string | undefined;
  /** Of SELinux: `type:container_t`, or `disable`. */
  readonly labels: readonly string[];
  /** False: no path of /proc and /sys is hidden or made read-only. */
  readonly protectPaths: boolean;
  readonly mask: readonly string[];
  /** Paths, or ALL. */
  readonly unmask: readonly string[];
}

/** Throws `invalid` for an option that is not known: one that protects must not get lost. */
export function parseSecurityOptions(options: readonly string[]): SecurityOptions {
  let read: SecurityOptions = {
    seccomp: 'default',
    noNewPrivileges: false,
    apparmor: undefined,
    labels: [],
    protectPaths: true,
    mask: [],
    unmask: [],
  };
  for (const option of options) read = { ...read, ...readOption(option, read) };
  return read;
}

function readOption(option: string, before: SecurityOptions): Partial<SecurityOptions> {
  const [, name = '', value] = /^([a-z-]+)(?:[=:]([^]*))?$/.exec(option) ?? [];
  if (name === 'no-new-privileges' && (value === undefined || /^(?:true|false)$/.test(value))) {
    return { noNewPrivileges: value !== 'false' };
  }
  if (value !== undefined && value !== '') {
    if (name === 'seccomp') return { seccomp: value === 'builtin' ? 'default' : value };
    if (name === 'apparmor') return { apparmor: value };
    if (name === 'label') return { labels: [...before.labels, value] };
    if (name === 'systempaths' && value === 'unconfined') return { protectPaths: false };
    if (name === 'mask') return { mask: [...before.mask, ...value.split(':')] };
    if (name === 'unmask') return { unmask: [...before.unmask, ...value.split(':')] };
  }
  throw new VeneerError('invalid', `'${option}' is not a security option`, {
    hint: 'there are seccomp=, no-new-privileges, apparmor=, label=, systempaths=unconfined, mask= and unmask=',
  });
}
