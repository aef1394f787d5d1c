// Changing owner and mode of what is in the upper: in the file system, or in an attribute (`xattr_permissions`).

import type { ByteString } from '../core/index.js';
import {
  S_IFDIR,
  S_ISGID,
  S_ISUID,
  Stat,
  chmodEntry,
  fchown,
  fchownat,
  fstatx,
  removexattr,
  statx,
} from '../sys/index.js';
import type { Place as SysPlace } from '../sys/index.js';
import { statNode, statReal, xattrTarget } from './attr.js';
import { copyOwnerAndMode } from './copy-attributes.js';
import type { Node } from './node.js';
import type { Overlay } from './overlay.js';
import type { StatOverrides } from './stat-override.js';
import { upperPlace } from './upper-place.js';

const S_IXGRP = 0o010;

/** The attribute that holds file capabilities. */
export const CAPABILITY = 'security.capability';

const self = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };

/** Whether what this process makes belongs to this owner as it is. */
export function isOurs(owner: { readonly uid: number; readonly gid: number }): boolean {
  return owner.uid === self.uid && owner.gid === self.gid;
}

const shown = new Stat();

/** chown(2); -1 keeps a value. Takes setuid and setgid away as the kernel does. Returns 0 or -errno. */
export function changeOwner(o: Overlay, node: Node, owner: { uid: number; gid: number }): number {
  const place = upperPlace(node);
  if (typeof place === 'number') return place;
  if (o.overrides === undefined) {
    if (node.kind === 'other' && node.pinned >= 0) return fchown(node.pinned, owner);
    return fchownat(place.dirfd, place.name, owner);
  }
  const known = statNode(o, node, shown);
  if (known < 0) return known;
  const { mode } = shown;
  const dropped = shown.type === S_IFDIR ? 0 : S_ISUID | ((mode & S_IXGRP) === 0 ? 0 : S_ISGID);
  shown.assume({
    mode: mode & ~dropped,
    ...(owner.uid === -1 ? {} : { uid: owner.uid }),
    ...(owner.gid === -1 ? {} : { gid: owner.gid }),
  });
  const target = xattrTarget(node);
  if (typeof target !== 'number' && node.kind === 'other') removexattr(target, CAPABILITY);
  return o.overrides.write(place, shown);
}

/** chmod(2). `mode` is without the type. Returns 0 or -errno. */
export function changeMode(o: Overlay, node: Node, mode: number): number {
  const place = upperPlace(node);
  if (typeof place === 'number') return place;
  if (o.overrides === undefined) return chmodEntry(place, mode);
  const known = statNode(o, node, shown);
  if (known < 0) return known;
  shown.assume({ mode: shown.type | mode });
  return o.overrides.write(place, shown);
}

/** After an ACL was set: the file system has changed the real mode, and users must see that. Returns 0 or -errno. */
export function adoptModeOfAcl(o: Overlay, node: Node): number {
  const place = upperPlace(node);
  if (o.overrides === undefined || typeof place === 'number') return 0;
  const real = statReal(node, shown);
  if (real < 0) return real;
  const permissions = shown.mode & 0o777;
  const known = statNode(o, node, shown);
  if (known < 0) return known;
  shown.assume({ mode: (shown.mode & ~0o777) | permissions });
  return o.overrides.write(place, shown);
}

/** Gives a copy the owner and mode that the lower file shows. Returns 0 or -errno. */
export function copyOwnership(o: Overlay, to: { dirfd: number; name: ByteString }, stat: Stat): number {
  return o.overrides === undefined ? copyOwnerAndMode(to.dirfd, to.name, stat) : o.overrides.write(to, stat);
}

export interface NewFile {
  readonly uid: number;
  readonly gid: number;
  /** The directory it is made in. */
  readonly parent: Node;
  /** With the type, which the real file need not have. */
  readonly mode: number;
  readonly device?: { readonly major: number; readonly minor: number };
}

/** What a file just made is to show: the real one has its permissions from the umask or an inherited ACL. */
function assumeNew(o: Overlay, file: NewFile): void {
  const { uid, mode, device } = file;
  const permissions = shown.mode & 0o777;
  let { gid } = file;
  let special = mode & 0o7000;
  if (statNode(o, file.parent, parentStat) >= 0 && (parentStat.mode & S_ISGID) !== 0) {
    gid = parentStat.gid;
    if (shown.type === S_IFDIR) special |= S_ISGID;
  }
  shown.assume({
    uid,
    gid,
    mode: (mode & ~0o7777) | permissions | special,
    ...(device === undefined ? {} : { device }),
  });
}

const parentStat = new Stat();

/** A mount with `xattr_permissions`. */
export interface Overriding {
  readonly overrides: StatOverrides;
}

export function isOverriding(o: Overlay): o is Overlay & Overriding {
  return o.overrides !== undefined;
}

/** Writes down owner, mode and type of a file just made. Returns 0 or -errno. */
export function overrideNew(o: Overlay & Overriding, at: SysPlace, file: NewFile): number {
  const known = statx(at.dirfd, at.name, shown);
  if (known < 0) return known;
  assumeNew(o, file);
  return o.overrides.write(at, shown);
}

/** As `overrideNew`, of an open file without a name. */
export function overrideNewOpen(o: Overlay & Overriding, fd: number, file: NewFile): number {
  const known = fstatx(fd, shown);
  if (known < 0) return known;
  assumeNew(o, file);
  return o.overrides.writeOpen(fd, shown);
}
