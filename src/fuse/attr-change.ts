// What a SETATTR asks for, in the terms of `Filesystem`.

import { UTIME_NOW } from '../sys/index.js';
import type { AttrChange } from './filesystem.js';
import * as abi from './wire/abi.js';
import type { Request } from './wire/request.js';

/** Reads struct fuse_setattr_in; the request's body has been checked to hold it. */
export function readAttrChange(q: Request): AttrChange {
  const valid = q.u32(0);
  const change: AttrChange = { caller: { uid: q.uid, gid: q.gid } };
  if ((valid & abi.FATTR_MODE) !== 0) change.mode = q.u32(68);
  if ((valid & abi.FATTR_UID) !== 0) change.uid = q.u32(76);
  if ((valid & abi.FATTR_GID) !== 0) change.gid = q.u32(80);
  if ((valid & abi.FATTR_SIZE) !== 0) change.size = q.offset(16);
  if ((valid & abi.FATTR_FH) !== 0) change.fh = q.u64(8);
  if ((valid & abi.FATTR_ATIME_NOW) !== 0) change.atime = { sec: 0, nsec: UTIME_NOW };
  else if ((valid & abi.FATTR_ATIME) !== 0) change.atime = { sec: q.i64(32), nsec: q.u32(56) };
  if ((valid & abi.FATTR_MTIME_NOW) !== 0) change.mtime = { sec: 0, nsec: UTIME_NOW };
  else if ((valid & abi.FATTR_MTIME) !== 0) change.mtime = { sec: q.i64(40), nsec: q.u32(60) };
  if ((valid & abi.FATTR_KILL_SUIDGID) !== 0) change.killSuidgid = true;
  return change;
}
