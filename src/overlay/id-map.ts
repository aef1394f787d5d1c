// Owners on disk and owners as users see them, two numberings of the same users: `uidmapping`, `gidmapping` and the
// squash options of fuse-overlayfs. Pure.

import { errno } from '../core/index.js';

/** Ids from `disk` on, `length` of them, are shown from `shown` on. */
export interface IdRange {
  readonly disk: number;
  readonly shown: number;
  readonly length: number;
}

export interface IdRules {
  /** Without ranges every id is shown as it is; with some, an id outside of them as the overflow id. */
  readonly uidMapping?: readonly IdRange[];
  readonly gidMapping?: readonly IdRange[];
  /** Show every file as root's. What is written to disk is not affected, here and in the next two. */
  readonly squashToRoot?: boolean;
  /** Show every file as this user's; goes before `squashToRoot` and the mapping. */
  readonly squashToUid?: number;
  readonly squashToGid?: number;
}

/** /proc/sys/kernel/overflowuid, overflowgid: an id that has no number here. */
export const OVERFLOW_ID = 65534;

type Numbering = 'disk' | 'shown';

/** `id` of one numbering in the other one; undefined outside of all ranges. */
function convert(ranges: readonly IdRange[] | undefined, id: number, from: Numbering): number | undefined {
  if (ranges === undefined) return id;
  const to = from === 'disk' ? 'shown' : 'disk';
  const range = ranges.find((it) => id >= it[from] && id < it[from] + it.length);
  return range === undefined ? undefined : range[to] + (id - range[from]);
}

/** POSIX ACLs as an attribute: a version, then entries of tag, permissions and id (linux/posix_acl_xattr.h). */
const ACL_VERSION = 2;
const ACL_HEADER = 4;
const ACL_ENTRY = 8;
const ACL_USER = 0x02;
const ACL_GROUP = 0x08;

export class IdMap {
  readonly #rules: IdRules;

  constructor(rules: IdRules) {
    this.#rules = rules;
  }

  /** Whether ids are the same on both sides. */
  get isIdentity(): boolean {
    const { uidMapping, gidMapping, squashToRoot, squashToUid, squashToGid } = this.#rules;
    const mapped = uidMapping !== undefined || gidMapping !== undefined;
    return !mapped && squashToRoot !== true && squashToUid === undefined && squashToGid === undefined;
  }

  shownUid(disk: number): number {
    const { squashToUid, squashToRoot, uidMapping } = this.#rules;
    if (squashToUid !== undefined) return squashToUid;
    return squashToRoot === true ? 0 : (convert(uidMapping, disk, 'disk') ?? OVERFLOW_ID);
  }

  shownGid(disk: number): number {
    const { squashToGid, squashToRoot, gidMapping } = this.#rules;
    if (squashToGid !== undefined) return squashToGid;
    return squashToRoot === true ? 0 : (convert(gidMapping, disk, 'disk') ?? OVERFLOW_ID);
  }

  /** Undefined for an id that cannot be written down. */
  diskUid(shown: number): number | undefined {
    return convert(this.#rules.uidMapping, shown, 'shown');
  }

  diskGid(shown: number): number | undefined {
    return convert(this.#rules.gidMapping, shown, 'shown');
  }

  /** An ACL from disk with the ids users see. Squashing leaves it alone: it is about owners. */
  shownAcl(acl: Buffer): Buffer {
    const { uidMapping, gidMapping } = this.#rules;
    return mapAcl(acl, (id, tag) => convert(tag === ACL_USER ? uidMapping : gidMapping, id, 'disk') ?? OVERFLOW_ID)!;
  }

  /** A user's ACL with the ids for the disk; -EINVAL if one of them has none. */
  diskAcl(acl: Buffer): Buffer | number {
    const mapped = mapAcl(acl, (id, tag) => (tag === ACL_USER ? this.diskUid(id) : this.diskGid(id)));
    return mapped ?? -errno.EINVAL;
  }
}

/** Replaces the ids of named users and groups. What is no ACL stays: whoever stores it will refuse it. */
function mapAcl(acl: Buffer, map: (id: number, tag: number) => number | undefined): Buffer | undefined {
  if (acl.length < ACL_HEADER || acl.readUInt32LE(0) !== ACL_VERSION) return acl;
  const mapped = Buffer.from(acl);
  for (let at = ACL_HEADER; at + ACL_ENTRY <= mapped.length; at += ACL_ENTRY) {
    const tag = mapped.readUInt16LE(at);
    if (tag !== ACL_USER && tag !== ACL_GROUP) continue;
    const id = map(mapped.readUInt32LE(at + 4), tag);
    if (id === undefined) return undefined;
    mapped.writeUInt32LE(id, at + 4);
  }
  return mapped;
}
