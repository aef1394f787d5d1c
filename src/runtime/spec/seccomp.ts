// The filter of system calls: a profile as Docker and Podman have it, made into the one of a certain container.

import { readFileSync } from 'node:fs';
import { VeneerError, hasCode, messageOf } from '../../core/index.js';
import type { OciSeccomp, OciSyscall, OciSyscallArg } from './oci-spec.js';

/** Where the default profile is looked for: containers-common, seccomp.json(5). */
const PLACES = ['/etc/containers/seccomp.json', '/usr/share/containers/seccomp.json'];

interface Condition {
  readonly arches?: readonly string[];
  readonly caps?: readonly string[];
  /** `4.8` */
  readonly minKernel?: string;
}

interface Rule {
  readonly name?: string;
  readonly names?: readonly string[];
  readonly action: string;
  readonly args?: readonly OciSyscallArg[];
  readonly errnoRet?: number;
  readonly includes?: Condition;
  readonly excludes?: Condition;
}

export interface SeccompProfile {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  readonly architectures?: readonly string[];
  readonly archMap?: readonly { readonly architecture: string; readonly subArchitectures?: readonly string[] }[];
  readonly flags?: readonly string[];
  readonly syscalls?: readonly Rule[];
}

/** Reads a profile, or the default one of the system. Throws `unavailable` where there is none, `not-found` and `invalid` for a bad file. */
export function readSeccompProfile(file: string | undefined): SeccompProfile {
  if (file !== undefined) return parseProfile(file, readProfile(file));
  for (const place of PLACES) {
    try {
      return parseProfile(place, readFileSync(place, 'utf8'));
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
    }
  }
  throw new VeneerError('unavailable', `there is no seccomp profile: neither ${PLACES.join(' nor ')}`, {
    hint: 'install containers-common (Debian: golang-github-containers-common), or go without: --security-opt seccomp=unconfined',
  });
}

function readProfile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new VeneerError('not-found', `cannot read the seccomp profile '${file}': ${messageOf(cause)}`, { cause });
  }
}

function parseProfile(file: string, text: string): SeccompProfile {
  let profile: unknown;
  try {
    // Go writes null for what is empty.
    profile = JSON.parse(text, (_key, value: unknown) => value ?? undefined);
  } catch (cause) {
    throw new VeneerError('invalid', `the seccomp profile '${file}' is not JSON`, { cause });
  }
  if (isProfile(profile)) return profile;
  throw new VeneerError('invalid', `the seccomp profile '${file}' is malformed`, {
    hint: 'it needs a defaultAction, and syscalls with names and an action',
  });
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText);

function isProfile(value: unknown): value is SeccompProfile {
  if (typeof value !== 'object' || value === null || !('defaultAction' in value)) return false;
  const { defaultAction, syscalls = [] } = value as { defaultAction: unknown; syscalls?: unknown };
  return isText(defaultAction) && (syscalls === undefined || (Array.isArray(syscalls) && syscalls.every(isRule)));
}

function isRule(value: unknown): value is Rule {
  if (typeof value !== 'object' || value === null || !('action' in value) || !isText(value.action)) return false;
  return 'names' in value ? isTexts(value.names) : 'name' in value && isText(value.name);
}

/** Go's names of the machines, which profiles have, by Node's. */
const ARCHES: Readonly<Record<string, { readonly go: string; readonly seccomp: string }>> = {
  x64: { go: 'amd64', seccomp: 'SCMP_ARCH_X86_64' },
  arm64: { go: 'arm64', seccomp: 'SCMP_ARCH_AARCH64' },
  arm: { go: 'arm', seccomp: 'SCMP_ARCH_ARM' },
  ia32: { go: 'x86', seccomp: 'SCMP_ARCH_X86' },
  ppc64: { go: 'ppc64le', seccomp: 'SCMP_ARCH_PPC64LE' },
  s390x: { go: 's390x', seccomp: 'SCMP_ARCH_S390X' },
  riscv64: { go: 'riscv64', seccomp: 'SCMP_ARCH_RISCV64' },
};

export interface SeccompTarget {
  readonly capabilities: readonly string[];
  /** As `process.arch`. */
  readonly arch: string;
  /** As `uname -r`. */
  readonly kernel: string;
}

/** The rules of a profile that hold for a container with these capabilities: moby, profiles/seccomp/seccomp_linux.go. */
export function resolveSeccomp(profile: SeccompProfile, target: SeccompTarget): OciSeccomp {
  const { defaultAction, defaultErrnoRet, flags } = profile;
  const architectures = architecturesOf(profile, target.arch);
  return {
    defaultAction,
    ...(defaultErrnoRet === undefined ? {} : { defaultErrnoRet }),
    ...(architectures.length === 0 ? {} : { architectures }),
    ...(flags === undefined || flags.length === 0 ? {} : { flags }),
    syscalls: (profile.syscalls ?? []).filter((rule) => holds(rule, target)).map(plainRule),
  };
}

function architecturesOf({ architectures, archMap }: SeccompProfile, arch: string): readonly string[] {
  if (architectures !== undefined && architectures.length > 0) return architectures;
  const own = ARCHES[arch]?.seccomp;
  const mapped = archMap?.find(({ architecture }) => architecture === own);
  return mapped === undefined ? [] : [mapped.architecture, ...(mapped.subArchitectures ?? [])];
}

function holds({ includes, excludes }: Rule, { capabilities, arch, kernel }: SeccompTarget): boolean {
  const go = ARCHES[arch]?.go ?? arch;
  const has = (name: string): boolean => capabilities.includes(name);
  if (excludes?.arches?.includes(go) === true || excludes?.caps?.some(has) === true) return false;
  if (excludes?.minKernel !== undefined && isAtLeast(kernel, excludes.minKernel)) return false;
  const { arches, caps, minKernel } = includes ?? {};
  if (arches !== undefined && arches.length > 0 && !arches.includes(go)) return false;
  if (caps !== undefined && !caps.every(has)) return false;
  return minKernel === undefined || isAtLeast(kernel, minKernel);
}

function isAtLeast(kernel: string, wanted: string): boolean {
  const [major = 0, minor = 0] = kernel.split('.').map((part) => parseInt(part, 10));
  const [wantedMajor = 0, wantedMinor = 0] = wanted.split('.').map((part) => parseInt(part, 10));
  return major !== wantedMajor ? major > wantedMajor : minor >= wantedMinor;
}

function plainRule({ name, names, action, errnoRet, args }: Rule): OciSyscall {
  return {
    names: names ?? (name === undefined ? [] : [name]),
    action,
    ...(errnoRet === undefined ? {} : { errnoRet }),
    ...(args === undefined || args.length === 0 ? {} : { args }),
  };
}
