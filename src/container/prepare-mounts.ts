// Before a container starts: the sources of its mounts are there, and new volumes have what the image has at their place.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { VeneerError, errno, toByteString } from '../core/index.js';
import type { MountPoint } from '../runtime/index.js';
import type { Store } from '../store/index.js';
import { AT_FDCWD, O_DIRECTORY, O_RDONLY, RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS, close, must } from '../sys/index.js';
import { openat, openat2 } from '../sys/index.js';
import { copyDirectoryAttributes } from './copy-attributes.js';
import { copyTrees } from './copy-tree.js';

export interface PrepareMountsOptions {
  /** Where the container's tree is mounted. */
  readonly rootfs: string;
  /** Volumes are filled before a container runs for the first time. */
  readonly isFirstRun: boolean;
}

/** Throws `not-found` for a host directory that is not there, and may not be made. */
export async function prepareMounts(
  store: Store,
  mounts: readonly MountPoint[],
  { rootfs, isFirstRun }: PrepareMountsOptions,
): Promise<void> {
  for (const { Type, Source, Destination, Name, NoCopy, CreateSource } of mounts) {
    if (Type === 'bind') ensureSource(Source, CreateSource === true);
    if (Name === undefined) continue;
    if (!existsSync(Source)) throw new VeneerError('not-found', `volume ${Name} has no directory '${Source}'`);
    if (!isFirstRun || NoCopy === true || readdirSync(Source).length > 0) continue;
    using _lock = await store.volumes.lock(Name);
    if (readdirSync(Source).length === 0) fillVolume({ rootfs, path: Destination, volume: Source });
  }
}

function ensureSource(path: string, create: boolean): void {
  if (existsSync(path)) return;
  if (create) mkdirSync(path, { recursive: true, mode: 0o755 });
  else {
    throw new VeneerError('not-found', `cannot mount '${path}' in the container: there is no such file or directory`);
  }
}

interface Filling {
  readonly rootfs: string;
  /** In the container. */
  readonly path: string;
  readonly volume: string;
}

const ABSENT = new Set<number>([errno.ENOENT, errno.ENOTDIR, errno.ELOOP]);

/** Owner and mode come along with the files, as with Docker. Links in the tree lead where they lead in the container. */
function fillVolume({ rootfs, path, volume }: Filling): void {
  const root = must(openat(AT_FDCWD, toByteString(rootfs), O_RDONLY | O_DIRECTORY), 'open', rootfs);
  try {
    const source = openat2(root, toByteString(path), {
      flags: O_RDONLY | O_DIRECTORY,
      resolve: RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
    });
    if (ABSENT.has(-source)) return;
    try {
      copyInto(must(source, 'open', path), volume);
    } finally {
      close(source);
    }
  } finally {
    close(root);
  }
}

function copyInto(source: number, volume: string): void {
  const from = `/proc/self/fd/${String(source)}/.`;
  if (readdirSync(from).length > 0) {
    const scratch = mkdtempSync(join(dirname(volume), 'links-'));
    copyTrees({ trees: [{ from, to: volume }], scratch });
    rmdirSync(scratch);
  }
  const target = must(openat(AT_FDCWD, toByteString(volume), O_RDONLY | O_DIRECTORY), 'open', volume);
  try {
    copyDirectoryAttributes(source, target);
  } finally {
    close(target);
  }
}
