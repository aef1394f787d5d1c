// A file's attributes on their way to the kernel, and what a name resolves to.

import type { Stat } from '../sys/index.js';

/** What the kernel shows as struct stat. Filled in place, so that a request allocates none. */
export class Attr {
  inoLow = 0;
  inoHigh = 0;
  size = 0;
  /** In units of 512 bytes. */
  blocks = 0;
  atimeSec = 0;
  atimeNsec = 0;
  mtimeSec = 0;
  mtimeNsec = 0;
  ctimeSec = 0;
  ctimeNsec = 0;
  /** Birth time; sent with STATX only. */
  btimeSec = 0;
  btimeNsec = 0;
  mode = 0;
  nlink = 0;
  uid = 0;
  gid = 0;
  rdev = 0;
  blksize = 0;
  /** Not to be kept by the kernel: they change without it, through another node or a mapping. */
  uncached = false;

  /** Takes all fields from what statx said. */
  set(stat: Stat): void {
    this.uncached = false;
    this.inoLow = stat.inoLow;
    this.inoHigh = stat.inoHigh;
    this.size = stat.size;
    this.blocks = stat.blocks;
    this.atimeSec = stat.atimeSec;
    this.atimeNsec = stat.atimeNsec;
    this.mtimeSec = stat.mtimeSec;
    this.mtimeNsec = stat.mtimeNsec;
    this.ctimeSec = stat.ctimeSec;
    this.ctimeNsec = stat.ctimeNsec;
    this.btimeSec = stat.btimeSec;
    this.btimeNsec = stat.btimeNsec;
    this.mode = stat.mode;
    this.nlink = stat.nlink;
    this.uid = stat.uid;
    this.gid = stat.gid;
    this.rdev = stat.rdev;
    this.blksize = stat.blksize;
  }
}

/** What a name is: a node (0 for "known to be absent") with its attributes. */
export class Entry {
  nodeid = 0;
  readonly attr = new Attr();
}
