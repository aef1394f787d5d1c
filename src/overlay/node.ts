// Nodes: what the kernel knows by number. A node lives from the lookup that told the kernel of it to the FORGET
// that takes the last reference back. Its number (nodeid) is our handle with the kernel; what users see as the
// inode number is `inoLow`, `inoHigh`, which stays the same over copy-up, rename and re-mount.

import { SysError, errno } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import type { Merged, RealDir } from '../stack/index.js';
import { S_IFDIR } from '../sys/index.js';
import type { Listing } from './listing.js';

/** A file in a layer: the directory it is in, and its name there. */
export interface Place {
  readonly dir: RealDir;
  readonly name: ByteString;
}

/** A name of a node in the merged tree. */
export interface Name {
  readonly parent: DirNode;
  readonly name: ByteString;
}

abstract class BaseNode {
  readonly id: number;
  /** References the kernel holds. */
  nlookup = 0;
  inoLow = 0;
  inoHigh = 0;
  /** FS_IMMUTABLE_FL and FS_APPEND_FL, but for those an upper file really has: the file system below guards these. */
  protection = 0;

  constructor(id: number) {
    this.id = id;
  }
}

/** With more parts than this, a directory's names are read once instead of asked for in each part. */
export const PROBE_AT_MOST = 3;

export class DirNode extends BaseNode {
  readonly kind = 'directory';
  readonly type = S_IFDIR;
  /** The directories merged here, top first. The first one is the upper's if there is `upper`. */
  parts: Merged;
  upper: RealDir | undefined;
  /** The name; the root has none, and a removed directory has none any more. */
  at: Name | undefined;
  /** Nodes by name: those the kernel knows. */
  readonly children = new Map<ByteString, Node>();
  listing: Listing | undefined;
  /** Which lower part to begin at for a name; made when there are many. */
  lowerIndex: ReadonlyMap<ByteString, number> | undefined;
  /** Whether new files inherit ACLs here; asked when first needed. */
  hasDefaultAcl: boolean | undefined;
  /** The upper directory carries the kernel's `impure` mark. */
  impure = false;

  constructor(id: number, parts: Merged, upper: RealDir | undefined) {
    super(id);
    this.parts = parts;
    this.upper = upper;
  }

  /** The merged directories below the upper one. */
  get lowerParts(): Merged {
    return this.upper === undefined ? this.parts : this.parts.slice(1);
  }

  /** The upper directory, after `copyUpDirectory` has seen to it. Throws EROFS where there is none. */
  get writable(): RealDir {
    if (this.upper === undefined) throw new SysError(errno.EROFS, 'node', String(this.id));
    return this.upper;
  }

  get isDeep(): boolean {
    return this.parts.length > PROBE_AT_MOST;
  }

  get isMerged(): boolean {
    return this.parts.length > 1;
  }
}

/** How the open handles of a file get at its data (semantics of FUSE passthrough: all in one way at a time). */
export interface Backing {
  /** The kernel's id of the backing file. */
  readonly id: number;
  /** Whether it is the upper file. */
  readonly upper: boolean;
}

export class FileNode extends BaseNode {
  readonly kind = 'other';
  /** S_IFMT. */
  readonly type: number;
  /** All names of it that are known; empty when it was removed. */
  names: Name[] = [];
  /** Where it is in a lower layer; undefined for a file born in the upper. */
  lower: Place | undefined;
  /** Where it is in the upper; undefined before copy-up, and when its last name is gone. */
  upper: Place | undefined;
  /** Where the content is as long as the upper file holds only metadata. */
  data: Place | undefined;
  /** An O_PATH fd of a file without a name; -1 otherwise. */
  pinned = -1;
  /** The copy-up in progress. */
  copying: Promise<number> | undefined;
  /** Its copy in the upper is on disk, but the name may not be: only a whole fsync writes that. */
  nameUnsynced = false;
  /** Open handles. */
  opens = 0;
  backing: Backing | undefined;
  /**
   * Was open for reading and writing through passthrough. A shared mapping made then holds this node (user_path of the
   * kernel's backing file) but no handle of it, and what it writes does not come to the kernel's own pages of the file,
   * nor do the times (`mapped.ts`).
   */
  mayBeMapped = false;
  /**
   * Known to have no file capabilities. The kernel asks for them at the first write to a file, each chown and each truncate
   * (file_remove_privs, notify_change).
   */
  noCapability = false;
  /** Whether the file in the lower layer is small; asked when first needed. */
  smallLower: boolean | undefined;
  /** Set for hard links that span layers: the link count, kept in the kernel's `nlink` attribute. */
  indexed: { nlink: number; readonly lowerNlink: number; readonly key: ByteString } | undefined;
  /** After a split from readers: the node its names lead to now, which has its attributes. */
  successor: FileNode | undefined;
  /** The key under which the node table shares it between its hard links. */
  linkKey: string | undefined;

  constructor(id: number, type: number) {
    super(id);
    this.type = type;
  }

  get inUpper(): boolean {
    return this.upper !== undefined || this.pinned >= 0;
  }
}

export type Node = DirNode | FileNode;

/** The node that a node's names lead to now: itself, unless it was split from its readers meanwhile. */
export function latest(node: FileNode): FileNode;
export function latest(node: Node): Node;
export function latest(node: Node): Node {
  let now = node;
  while (now.kind === 'other' && now.successor !== undefined) now = now.successor;
  return now;
}
