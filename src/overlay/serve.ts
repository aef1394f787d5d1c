// Puts an overlay together from its options, whatever the transport.

import { SysError } from '../core/index.js';
import { openStack } from '../stack/index.js';
import {
  AT_FDCWD,
  LOCK_EX,
  LOCK_NB,
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  MS_RDONLY,
  close,
  flock,
  openat,
} from '../sys/index.js';
import { toByteString, VeneerError, errno } from '../core/index.js';
import { TRUSTED, USER } from '../whiteout/index.js';
import type { XattrNamespace } from '../whiteout/index.js';
import { recoverFreeze } from './freeze-record.js';
import type { OverlayOptions } from './options.js';
import { Overlay } from './overlay.js';
import { StatOverrides } from './stat-override.js';
import { WorkDir } from './work-dir.js';

/** The layers of a mount, opened and locked. Throws VeneerError. */
export function openOverlay(options: OverlayOptions): Overlay {
  const { lowerdir, upperdir, workdir, xattrPermissions } = options;
  const writable = upperdir !== undefined && options.readOnly !== true;
  if (writable && workdir !== undefined) recoverFreeze({ upperdir, workdir });
  const stack = openStack(upperdir === undefined ? lowerdir : [upperdir, ...lowerdir], {
    writable: writable ? 1 : 0,
    frozen: options.frozen ?? 0,
    followsRedirects: options.redirectDir !== 'nofollow',
  });
  let work: WorkDir | undefined;
  if (writable && workdir !== undefined) {
    lock(stack.layers[0]?.fd ?? -1, upperdir);
    work = openWorkDir(workdir, options.userxattr === true ? USER : undefined);
    if (options.volatile === true) work.markVolatile();
  }
  const overlay = new Overlay({
    stack,
    work,
    namespace: work?.namespace ?? (options.userxattr === true ? USER : TRUSTED),
    volatile: options.volatile === true,
    syncsAtEnd: options.volatile !== true && options.temporary !== true,
    acl: options.noacl !== true,
    smallThroughCache: cachesPages(options),
    // The kernel follows these marks in its own namespace only (ovl_fs_params_verify).
    metacopy: options.metacopy === true && work?.namespace === TRUSTED,
    redirects: options.redirectDir === undefined || options.redirectDir === 'on',
    overrides: xattrPermissions === 1 || xattrPermissions === 2 ? new StatOverrides(xattrPermissions) : undefined,
  });
  const { root } = overlay.nodes;
  const top = root.parts[options.frozen ?? 0];
  if (top !== undefined && top.stat(overlay.stat) >= 0) overlay.inos.assign(overlay.stat, root);
  return overlay;
}

/** Whether the kernel may keep pages of its own: not where layers change below (`timeout`), or their pages are to be shared. */
export function cachesPages(options: OverlayOptions): boolean {
  return (options.passthrough ?? 'auto') === 'auto' && options.timeout === undefined;
}

function openWorkDir(path: string, namespace: XattrNamespace | undefined): WorkDir {
  const probe = openat(AT_FDCWD, toByteString(path), 0);
  if (probe < 0) throw new SysError(-probe, 'open', path);
  try {
    lock(probe, path);
  } finally {
    close(probe);
  }
  const work = new WorkDir(path, namespace);
  lock(work.root.fd, path);
  return work;
}

/** Two mounts of one upper would destroy each other's bookkeeping. Throws `in-use`. */
function lock(fd: number, path: string): void {
  const status = flock(fd, LOCK_EX | LOCK_NB);
  if (status >= 0) return;
  if (status === -errno.EAGAIN) {
    throw new VeneerError('in-use', `'${path}' is in use by another mount`, {
      hint: 'un-mount that one first, or use another upperdir and workdir',
    });
  }
  throw new SysError(-status, 'flock', path);
}

/** MS_*. */
export function mountFlags(options: OverlayOptions): number {
  const readOnly = options.upperdir === undefined || options.readOnly === true;
  return (
    (readOnly ? MS_RDONLY : 0) |
    (options.nosuid === true ? MS_NOSUID : 0) |
    (options.nodev === true ? MS_NODEV : 0) |
    (options.noexec === true ? MS_NOEXEC : 0)
  );
}
