// One description of layers, four file systems made from it: merged by hand into a plain directory, mounted by kernel
// overlayfs, mounted by veneer, mounted by veneer through the package fuse-native.

import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { MNT_DETACH, MS_RDONLY, MS_REMOUNT, mount, must, umount2 } from '../../src/sys/index.js';
import { mountKernelOverlay } from './kernel-overlay.js';
import { writeLayerSpec, writeMergedSpecs } from './layer-spec.js';
import type { LayerSpec } from './layer-spec.js';
import { DOOR, requires } from './requires.js';

export type BackendKind = 'plain' | 'kernel' | 'veneer' | 'fuse-native';

export const BACKEND_KINDS: readonly BackendKind[] = ['plain', 'kernel', 'veneer', 'fuse-native'];

/** `lower` top first, as in `lowerdir=`. Without an upper the mount is read-only. */
export interface Layers {
  readonly lower: readonly LayerSpec[];
  readonly upper?: LayerSpec;
}

/** Directories of layers, ready to be mounted: `0`, `1`, ... (top first), `upper`, `work`, `mnt` below `base`. */
export interface Staged {
  readonly base: string;
  readonly lowers: readonly string[];
  readonly upper?: string;
  readonly work: string;
  readonly mountpoint: string;
  readonly readOnly: boolean;
}

export const backendGate = (kind: BackendKind): ReturnType<typeof requires> => {
  if (kind === 'plain') return requires('root');
  if (kind === 'kernel') return requires('root', 'mknod', 'trusted-xattr', 'kernel-overlay');
  return kind === 'veneer' ? requires('root', 'fuse', 'build') : requires('root', 'fuse', 'build', 'fuse-native');
};

/** Writes the layers below an empty directory. For 'plain' they are merged into the one that becomes the mount point. */
export function stage(base: string, layers: Layers, kind: BackendKind): Staged {
  const make = (name: string): string => {
    mkdirSync(path.join(base, name), { mode: 0o755 });
    return path.join(base, name);
  };
  const [work, mountpoint] = [make('work'), make('mnt')];
  const readOnly = layers.upper === undefined;
  const stack = layers.upper === undefined ? layers.lower : [layers.upper, ...layers.lower];
  if (kind === 'plain') {
    writeMergedSpecs(mountpoint, stack);
    return { base, lowers: [], work, mountpoint, readOnly };
  }
  const lowers = layers.lower.map((spec, index) => {
    const dir = make(String(index));
    writeLayerSpec(dir, spec, layers.lower.length - 1 - index);
    return dir;
  });
  if (layers.upper === undefined) return { base, lowers, work, mountpoint, readOnly };
  const upper = make('upper');
  writeLayerSpec(upper, layers.upper, layers.lower.length);
  return { base, lowers, upper, work, mountpoint, readOnly };
}

const MS_BIND = 4096;

function mountPlain(staged: Staged): void {
  if (!staged.readOnly) return;
  const call = { source: staged.mountpoint, target: staged.mountpoint, type: '', data: '' };
  must(mount({ ...call, flags: MS_BIND }), 'mount', staged.mountpoint);
  must(mount({ ...call, flags: MS_BIND | MS_REMOUNT | MS_RDONLY }), 'mount', staged.mountpoint);
}

export const KERNEL_OPTIONS = 'redirect_dir=on,index=on,metacopy=off,xino=on';
export const KERNEL_METACOPY = KERNEL_OPTIONS.replace('metacopy=off', 'metacopy=on');

/** With names relative to `base`, since the option string of mount(2) ends at a page. */
function mountKernel(staged: Staged, metacopy: boolean): void {
  const here = (dir: string): string => path.relative(staged.base, dir);
  const lowerdir = staged.lowers.map(here).join(':');
  const data =
    staged.upper === undefined
      ? `lowerdir=${lowerdir},redirect_dir=follow`
      : `lowerdir=${lowerdir},upperdir=${here(staged.upper)},workdir=${here(staged.work)},${metacopy ? KERNEL_METACOPY : KERNEL_OPTIONS}`;
  const before = process.cwd();
  process.chdir(staged.base);
  try {
    mountKernelOverlay(staged.mountpoint, data);
  } finally {
    process.chdir(before);
  }
}

/** Options that only veneer has, or that it takes otherwise; `metacopy` is the kernel's, too. */
export interface VeneerOptions {
  readonly volatile?: boolean;
  readonly nodev?: boolean;
  readonly metacopy?: boolean;
  readonly passthrough?: 'auto' | 'all' | 'off';
  readonly transport?: 'direct' | 'fuse-native';
  readonly frozen?: number;
}

/** The built room's functions, as test code needs them. */
export interface OverlayDoor {
  readonly startOverlay: (
    options: {
      lowerdir: readonly string[];
      upperdir?: string;
      workdir?: string;
      mountpoint: string;
      logFile?: string;
    } & VeneerOptions,
  ) => Promise<{ pid: number }>;
  readonly unmountOverlay: (mountpoint: string) => Promise<void>;
  readonly freezeOverlay: (mountpoint: string, options: { frozen: string }) => Promise<void>;
  readonly mountedAt: (mountpoint: string) => boolean;
}

export async function overlayDoor(): Promise<OverlayDoor> {
  return (await import(pathToFileURL(DOOR).href)) as OverlayDoor;
}

export const logFileOf = (staged: Staged): string => path.join(staged.base, 'veneer.log');

/** Lines of a server's log above `info`: a handler that threw, a failed call nobody expected. */
export function loggedErrors(staged: Staged): string[] {
  const WARN = 40;
  return readFileSync(logFileOf(staged), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && Number((JSON.parse(line) as { level: unknown }).level) >= WARN);
}

async function mountVeneer(staged: Staged, options: VeneerOptions): Promise<number> {
  const { startOverlay } = await overlayDoor();
  const { pid } = await startOverlay({
    lowerdir: staged.lowers,
    mountpoint: staged.mountpoint,
    logFile: logFileOf(staged),
    ...options,
    ...(staged.upper === undefined ? {} : { upperdir: staged.upper, workdir: staged.work }),
  });
  return pid;
}

export interface Mounted {
  readonly kind: BackendKind;
  readonly staged: Staged;
  readonly root: string;
  /** The veneer server. */
  readonly pid?: number;
  readonly unmount: () => Promise<void>;
}

/** Mounts staged layers; 'plain' ones only as 'plain', the others as either. */
export async function mountStaged(kind: BackendKind, staged: Staged, options: VeneerOptions = {}): Promise<Mounted> {
  const { mountpoint, readOnly } = staged;
  const mounted = { kind, staged, root: mountpoint };
  switch (kind) {
    case 'plain':
      mountPlain(staged);
      return {
        ...mounted,
        unmount: () => Promise.resolve(readOnly ? void umount2(mountpoint, MNT_DETACH) : undefined),
      };
    case 'kernel':
      mountKernel(staged, options.metacopy === true);
      return { ...mounted, unmount: () => Promise.resolve(void must(umount2(mountpoint), 'umount', mountpoint)) };
    case 'veneer':
    case 'fuse-native': {
      const pid = await mountVeneer(staged, kind === 'veneer' ? options : { ...options, transport: kind });
      return { ...mounted, pid, unmount: async () => (await overlayDoor()).unmountOverlay(mountpoint) };
    }
  }
}
