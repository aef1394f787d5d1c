// The ways an overlay mount is asked for: by command, by mount(8), and by programs that know fuse-overlayfs.

import { isCommand } from './names.js';

export interface MountInvocation {
  readonly args: readonly string[];
  /** Called as a mount(8) helper, whose letters differ: `-f` is "fake", `-n` "no mtab", `-t` the type. */
  readonly helper: boolean;
}

const HELPER = 'mount.fuse.veneer';

/** True for `-o lowerdir=...` and its spellings `-olowerdir=...` and `-o x,lowerdir=...`. */
function namesLayers(args: readonly string[]): boolean {
  return args.some((arg, index) => {
    if (!arg.startsWith('-o')) return false;
    const list = arg === '-o' ? (args[index + 1] ?? '') : arg.slice(2);
    return /(^|,)lowerdir=/.test(list);
  });
}

/**
 * The arguments of an overlay mount, or undefined for any other command line:
 * - `veneer overlay ...`
 * - `mount.fuse.veneer SOURCE DIR -o ...`: mount(8) runs /sbin/mount.fuse.veneer for `mount -t fuse.veneer`
 * - `veneer SOURCE DIR -o lowerdir=...`: fuse's own mount helper runs this where there is no mount.fuse.veneer
 * - `veneer -o lowerdir=... DIR`: as containers/storage runs its mount_program
 */
export function looksLikeMount(program: string, args: readonly string[]): MountInvocation | undefined {
  if (program.slice(program.lastIndexOf('/') + 1) === HELPER) return { args, helper: true };
  const first = args[0];
  if (first === 'overlay') return { args: args.slice(1), helper: false };
  if (first === undefined || isCommand(first)) return undefined;
  return namesLayers(args) ? { args, helper: false } : undefined;
}
