// What a mount is asked to be.

import type { IdRules } from './id-map.js';

export type Passthrough = 'auto' | 'all' | 'off';

/** How a mount speaks to the kernel: by itself, or through the package `fuse-native`. */
export type Transport = 'direct' | 'fuse-native';

export interface OverlayOptions extends IdRules {
  /** Layer directories, top first. */
  readonly lowerdir: readonly string[];
  /** How many of them, from the top, were upper directories of mounts of ours: their files keep the numbers they had. */
  readonly frozen?: number;
  /** Without it the mount is read-only. */
  readonly upperdir?: string;
  /** An empty directory on the upper's file system; needed with an upper. */
  readonly workdir?: string;
  readonly mountpoint: string;
  /** What `mount` shows as the source. */
  readonly source?: string;
  /** Refuse writes although there is an upper. */
  readonly readOnly?: boolean;
  readonly nosuid?: boolean;
  readonly nodev?: boolean;
  readonly noexec?: boolean;
  /** Never wait for the disk; a crash may lose everything written (leaves the kernel's marker). */
  readonly volatile?: boolean;
  /** The upper directory is removed after the un-mount, which does not wait for it to be on disk. */
  readonly temporary?: boolean;
  /** Use `user.overlay.` attributes, as overlayfs mounted with `userxattr`. */
  readonly userxattr?: boolean;
  /** Seconds the kernel may cache names and attributes; by default for ever, since all changes go through the mount. */
  readonly timeout?: number;
  /**
   * Which files the kernel reads and writes past the server, where it allows that. 'auto': on a writable mount all but
   * small ones that are read; on a read-only one none, since the kernel opens files there without asking. 'all': then
   * mounts share the pages of their layers in memory. 'off': none.
   */
  readonly passthrough?: Passthrough;
  /** Do not enforce or keep POSIX ACLs. */
  readonly noacl?: boolean;
  /** Show a link count of 1 for every directory. */
  readonly staticNlink?: boolean;
  /**
   * Keep owner, mode and device of files in an attribute instead of the file system's own: 1 in `security.*`, 2 in
   * `user.*`, which needs no privileges.
   */
  readonly xattrPermissions?: 0 | 1 | 2;
  /**
   * Copy only the attributes of a file when nothing else of it changes, as overlayfs does with this option; off by default,
   * since others that mount the upper directory have to be told of it.
   */
  readonly metacopy?: boolean;
  /**
   * `on`, the default: directories that have contents in a lower layer can be renamed. `follow`: renaming one is EXDEV.
   * `nofollow`: that, and one that was renamed before is EPERM.
   */
  readonly redirectDir?: 'on' | 'follow' | 'nofollow';
  /**
   * While requests come in quick succession, ask the kernel to keep idle processors from sleeping; on by default, and without
   * effect for users other than root.
   */
  readonly lowLatency?: boolean;
  /** By default `direct`. */
  readonly transport?: Transport;
}
