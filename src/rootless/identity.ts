// Who we are, seen from outside of the user namespace we may be in.

import { readFileSync } from 'node:fs';

/** One line of /proc/PID/uid_map: `length` ids from `inside` on are those from `outside` on. */
export interface IdMapping {
  readonly inside: number;
  readonly outside: number;
  readonly length: number;
}

export function parseIdMap(text: string): IdMapping[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [inside = 0, outside = 0, length = 0] = line.trim().split(/\s+/).map(Number);
      return { inside, outside, length };
    });
}

const ALL_IDS = 4_294_967_295;

/** The user ids of this process's namespace. */
export function ownIdMap(which: 'uid' | 'gid' = 'uid'): IdMapping[] {
  return parseIdMap(readFileSync(`/proc/self/${which}_map`, 'latin1'));
}

/** The last id that can be reached from 0 without a gap. */
export function highestId(which: 'uid' | 'gid'): number {
  let next = 0;
  for (const { inside, length } of ownIdMap(which).toSorted((one, other) => one.inside - other.inside)) {
    if (inside !== next) break;
    next = inside + length;
  }
  return Math.max(next - 1, 0);
}

/** Which user root of this namespace is outside of it. */
export function ownUser(): number {
  return ownIdMap().find(({ inside }) => inside === 0)?.outside ?? process.getuid?.() ?? 0;
}

let rootless: boolean | undefined;

/**
 * Whether root is not the machine's here: we are a plain user, or root of a user namespace, be it of veneer's making or not. What
 * needs the machine's root (devices, bridges, raised limits, cgroups that were not delegated) is to be had neither way.
 */
export function isRootless(): boolean {
  rootless ??= process.geteuid?.() !== 0 || !coversAll(ownIdMap());
  return rootless;
}

/** Whether every id is itself: that of the machine, and not of a user namespace. */
export function coversAll([first, ...rest]: readonly IdMapping[]): boolean {
  return rest.length === 0 && first?.inside === 0 && first.outside === 0 && first.length === ALL_IDS;
}
