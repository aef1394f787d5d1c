// Capabilities: what a container has by default, and what --cap-add, --cap-drop and --privileged make of that.

import { readFileSync } from 'node:fs';
import { VeneerError } from '../../core/index.js';

/** By number: linux/capability.h. */
export const CAPABILITIES =
  `CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_FSETID CAP_KILL CAP_SETGID CAP_SETUID
  CAP_SETPCAP CAP_LINUX_IMMUTABLE CAP_NET_BIND_SERVICE CAP_NET_BROADCAST CAP_NET_ADMIN CAP_NET_RAW CAP_IPC_LOCK CAP_IPC_OWNER
  CAP_SYS_MODULE CAP_SYS_RAWIO CAP_SYS_CHROOT CAP_SYS_PTRACE CAP_SYS_PACCT CAP_SYS_ADMIN CAP_SYS_BOOT CAP_SYS_NICE
  CAP_SYS_RESOURCE CAP_SYS_TIME CAP_SYS_TTY_CONFIG CAP_MKNOD CAP_LEASE CAP_AUDIT_WRITE CAP_AUDIT_CONTROL CAP_SETFCAP
  CAP_MAC_OVERRIDE CAP_MAC_ADMIN CAP_SYSLOG CAP_WAKE_ALARM CAP_BLOCK_SUSPEND CAP_AUDIT_READ CAP_PERFMON CAP_BPF
  CAP_CHECKPOINT_RESTORE`.split(/\s+/);

/** Docker's (moby, oci/caps/defaults.go). */
const DEFAULT = new Set(
  `CAP_CHOWN CAP_DAC_OVERRIDE CAP_FSETID CAP_FOWNER CAP_MKNOD CAP_NET_RAW CAP_SETGID CAP_SETUID CAP_SETFCAP CAP_SETPCAP
  CAP_NET_BIND_SERVICE CAP_SYS_CHROOT CAP_KILL CAP_AUDIT_WRITE`.split(/\s+/),
);

function readMask(field: 'CapBnd' | 'CapEff'): Set<string> {
  const status = readFileSync('/proc/self/status', 'latin1');
  const mask = BigInt(`0x${new RegExp(`^${field}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1] ?? '0'}`);
  return new Set(CAPABILITIES.filter((_name, bit) => (mask & (1n << BigInt(bit))) !== 0n));
}

/** What this process may hand on to a container. */
export function boundingCapabilities(): ReadonlySet<string> {
  return readMask('CapBnd');
}

/** What this process has itself. */
export function hasCapability(name: string): boolean {
  return readMask('CapEff').has(name);
}

/** `SYS_ADMIN`, `cap_sys_admin` and `CAP_SYS_ADMIN` are one; 'ALL' stays. Throws `invalid`. */
export function capabilityName(text: string): string {
  const name = text.toUpperCase().replace(/^(?:CAP_)?/, 'CAP_');
  if (name === 'CAP_ALL') return 'ALL';
  if (CAPABILITIES.includes(name)) return name;
  throw new VeneerError('invalid', `'${text}' is not a capability`, {
    hint: "capabilities(7) names them: 'NET_ADMIN', or 'ALL'",
  });
}

export interface CapabilityChoice {
  readonly CapAdd: readonly string[];
  readonly CapDrop: readonly string[];
  readonly Privileged: boolean;
}

/**
 * The capabilities of a container, by number, as Docker reads the options (moby, oci/caps/utils.go): what is dropped by name beats ALL.
 * What is not in `bounding` is left out of what comes in lots (the defaults, ALL, --privileged). Throws `invalid`, and `permission`
 * for one that is asked for by name and not there to give.
 */
export function resolveCapabilities(choice: CapabilityChoice, bounding: ReadonlySet<string>): string[] {
  const available = CAPABILITIES.filter((name) => bounding.has(name));
  if (choice.Privileged) return available;
  const add = new Set(choice.CapAdd.map(capabilityName));
  const drop = new Set(choice.CapDrop.map(capabilityName));
  const missing = [...add].find((name) => name !== 'ALL' && !bounding.has(name));
  if (missing !== undefined) {
    throw new VeneerError('permission', `cannot give the capability ${missing}: this process does not have it itself`);
  }
  return available.filter((name) => {
    if (add.has('ALL')) return !drop.has(name);
    if (add.has(name)) return true;
    return DEFAULT.has(name) && !drop.has('ALL') && !drop.has(name);
  });
}
