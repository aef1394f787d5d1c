// Platforms as the OCI image index names them: GOOS and GOARCH words. Choosing one among several follows
// containerd's platforms package (compare.go, database.go).

import { arch } from 'node:process';
import { VeneerError } from '../core/index.js';
import { asObject, asString, at, readFields, required } from './json.js';
import type { JsonPlace } from './json.js';

export interface Platform {
  readonly os: string;
  readonly architecture: string;
  /** Of the CPU: `v7`, `v8`. */
  readonly variant?: string;
}

/** Node's names of architectures to Go's, where they differ. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: 'amd64',
  ia32: '386',
  ppc64: 'ppc64le',
  mipsel: 'mipsle',
};

/** The platform this process runs on. Node for 32-bit ARM needs an ARMv7 CPU. */
export function hostPlatform(): Platform {
  const architecture = ARCHITECTURES[arch] ?? arch;
  return architecture === 'arm' ? { os: 'linux', architecture, variant: 'v7' } : { os: 'linux', architecture };
}

/** `linux/amd64`, `linux/arm/v7`. */
export function formatPlatform(platform: Platform): string {
  const { os, architecture, variant } = platform;
  return variant === undefined ? `${os}/${architecture}` : `${os}/${architecture}/${variant}`;
}

/** Other spellings of architectures: uname's, Debian's. */
const ALIASES: Readonly<Record<string, readonly [architecture: string, variant?: string]>> = {
  x86_64: ['amd64'],
  'x86-64': ['amd64'],
  i386: ['386'],
  aarch64: ['arm64'],
  armhf: ['arm', 'v7'],
  armel: ['arm', 'v6'],
};

/** One spelling for each platform: no variant where it is the only or the usual one. */
export function normalizePlatform(platform: Platform): Platform {
  const [architecture, implied] = ALIASES[platform.architecture.toLowerCase()] ?? [platform.architecture.toLowerCase()];
  const given = platform.variant === '' ? undefined : platform.variant?.toLowerCase().replace(/^(?=\d)/, 'v');
  const usual = architecture === 'arm64' ? 'v8' : architecture === 'amd64' ? 'v1' : undefined;
  const variant = given ?? implied ?? (architecture === 'arm' ? 'v7' : undefined);
  const os = platform.os.toLowerCase();
  return variant === undefined || variant === usual ? { os, architecture } : { os, architecture, variant };
}

const WORD = /^[A-Za-z0-9_.-]+$/;

/** What is an operating system, where it stands alone. */
const SYSTEMS = ['linux', 'windows', 'darwin', 'freebsd'];

/** Reads `OS/ARCHITECTURE[/VARIANT]`, an architecture alone, which is Linux's, or a system, for this machine's. Throws `invalid`. */
export function parsePlatform(text: string): Platform {
  const words = text.split('/');
  const [first = '', second, variant] = words;
  if (words.length > 3 || !words.every((word) => WORD.test(word))) {
    throw new VeneerError('invalid', `'${text.slice(0, 100)}' is not a platform`, {
      hint: 'write OS/ARCHITECTURE[/VARIANT], such as linux/amd64 or linux/arm/v7',
    });
  }
  if (second === undefined && SYSTEMS.includes(first.toLowerCase())) {
    return normalizePlatform({ ...hostPlatform(), os: first });
  }
  const [os, architecture] = second === undefined ? ['linux', first] : [first, second];
  return normalizePlatform(variant === undefined ? { os, architecture } : { os, architecture, variant });
}

/** Reads the `platform` of a descriptor; unknown fields are kept. Throws `invalid`. */
export function readPlatform(value: unknown, place: JsonPlace): Platform {
  const read = readFields<Platform>(asObject(value, place), place, {
    architecture: asString,
    os: asString,
    variant: asString,
  });
  return {
    ...read,
    architecture: required(read.architecture, at(place, 'architecture')),
    os: required(read.os, at(place, 'os')),
  };
}

/** The same CPU and its predecessors, best first: an ARMv7 runs what is built for v6 and v5. */
function withPredecessors(platform: Platform, lowest: number): Platform[] {
  const version = Number(/^v(\d{1,2})$/.exec(platform.variant ?? '')?.[1] ?? 0);
  const found = [platform];
  for (let older = version - 1; older >= lowest; older -= 1) {
    found.push(normalizePlatform({ ...platform, variant: `v${String(older)}` }));
  }
  return found;
}

/** What runs on a platform, best first. */
export function runnablePlatforms(platform: Platform): Platform[] {
  const wanted = normalizePlatform(platform);
  const { os, architecture } = wanted;
  switch (architecture) {
    case 'amd64':
      return [...withPredecessors(wanted, 1), { os, architecture: '386' }];
    case 'arm64':
      return [wanted, ...withPredecessors({ os, architecture: 'arm', variant: wanted.variant ?? 'v8' }, 5)];
    case 'arm':
      return withPredecessors(wanted, 5);
    default:
      return [wanted];
  }
}

/** How well something for `offered` runs where `wanted` is: 0 is best, undefined is not at all. */
export function platformRank(offered: Platform, wanted: Platform): number | undefined {
  const text = formatPlatform(normalizePlatform({ ...offered }));
  const rank = runnablePlatforms(wanted).findIndex((runnable) => formatPlatform(runnable) === text);
  return rank < 0 ? undefined : rank;
}
