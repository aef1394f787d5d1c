// The overlay as it is shown where that is not as it is on disk: other numbers for owners, fixed link counts. Every
// request and every reply passes here, so that all of the overlay itself knows the disk's numbers only.

import { errno } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import type { Attr, AttrChange, Caller, CreateOptions, DirectorySink, Entry, Opened, Outcome } from '../fuse/index.js';
import { S_IFDIR, S_IFMT } from '../sys/index.js';
import { IdMap, OVERFLOW_ID } from './id-map.js';
import type { OverlayOptions } from './options.js';
import { after } from './outcome.js';
import { OverlayFs } from './overlay-fs.js';
import type { Overlay } from './overlay.js';
import { StatOverrides } from './stat-override.js';

export interface Showing {
  readonly ids: IdMap;
  /** Directories have a link count of 1. */
  readonly staticNlink: boolean;
  /** Attributes that hold owners and modes are not for users. */
  readonly hidesOverrides: boolean;
}

/** The file system of a mount with these options. */
export function showOverlay(overlay: Overlay, options: OverlayOptions): OverlayFs {
  const ids = new IdMap(options);
  const showing = { ids, staticNlink: options.staticNlink === true, hidesOverrides: overlay.overrides !== undefined };
  const asOnDisk = ids.isIdentity && !showing.staticNlink && !showing.hidesOverrides;
  return asOnDisk ? new OverlayFs(overlay) : new ShownFs(overlay, showing);
}

const ACL_PREFIX = 'system.posix_acl_';

export class ShownFs extends OverlayFs {
  readonly #ids: IdMap;
  readonly #staticNlink: boolean;
  readonly #hidesOverrides: boolean;

  constructor(overlay: Overlay, showing: Showing) {
    super(overlay);
    this.#ids = showing.ids;
    this.#staticNlink = showing.staticNlink;
    this.#hidesOverrides = showing.hidesOverrides;
  }

  #show(attr: Attr): void {
    attr.uid = this.#ids.shownUid(attr.uid);
    attr.gid = this.#ids.shownGid(attr.gid);
    if (this.#staticNlink && (attr.mode & S_IFMT) === S_IFDIR) attr.nlink = 1;
  }

  #isHidden(name: ByteString): boolean {
    return this.#hidesOverrides && StatOverrides.isOne(name);
  }

  #shown(outcome: Outcome, attr: Attr): Outcome {
    return after(outcome, (value) => {
      this.#show(attr);
      return value;
    });
  }

  /** What belongs to a user without a number on disk belongs to nobody there, as with fuse-overlayfs. */
  #onDisk<T extends { readonly caller: Caller }>(options: T): T {
    const { uid, gid } = options.caller;
    const caller = { uid: this.#ids.diskUid(uid) ?? OVERFLOW_ID, gid: this.#ids.diskGid(gid) ?? OVERFLOW_ID };
    return { ...options, caller };
  }

  override lookup(parent: number, name: ByteString, entry: Entry): Outcome {
    return this.#shown(super.lookup(parent, name, entry), entry.attr);
  }

  override getattr(nodeid: number, fh: number | undefined, attr: Attr): Outcome {
    return this.#shown(super.getattr(nodeid, fh, attr), attr);
  }

  /** EINVAL for an owner without a number on disk, as chown(2) answers in a user namespace. */
  override setattr(nodeid: number, change: AttrChange, attr: Attr): Outcome {
    const { uid, gid } = change;
    const mapped: AttrChange =
      change.caller === undefined ? { ...change } : this.#onDisk({ ...change, caller: change.caller });
    if (uid !== undefined) {
      const disk = this.#ids.diskUid(uid);
      if (disk === undefined) return -errno.EINVAL;
      mapped.uid = disk;
    }
    if (gid !== undefined) {
      const disk = this.#ids.diskGid(gid);
      if (disk === undefined) return -errno.EINVAL;
      mapped.gid = disk;
    }
    return this.#shown(super.setattr(nodeid, mapped, attr), attr);
  }

  override symlink(
    parent: number,
    name: ByteString,
    options: { caller: Caller; target: ByteString },
    entry: Entry,
  ): Outcome {
    return this.#shown(super.symlink(parent, name, this.#onDisk(options), entry), entry.attr);
  }

  override mknod(
    parent: number,
    name: ByteString,
    options: CreateOptions & { caller: Caller; rdev: number },
    entry: Entry,
  ): Outcome {
    return this.#shown(super.mknod(parent, name, this.#onDisk(options), entry), entry.attr);
  }

  override mkdir(parent: number, name: ByteString, options: CreateOptions & { caller: Caller }, entry: Entry): Outcome {
    return this.#shown(super.mkdir(parent, name, this.#onDisk(options), entry), entry.attr);
  }

  override link(nodeid: number, newParent: number, newName: ByteString, entry: Entry): Outcome {
    return this.#shown(super.link(nodeid, newParent, newName, entry), entry.attr);
  }

  override create(
    parent: number,
    name: ByteString,
    options: CreateOptions & { caller: Caller; flags: number },
    out: { entry: Entry; opened: Opened },
  ): Outcome {
    return this.#shown(super.create(parent, name, this.#onDisk(options), out), out.entry.attr);
  }

  override tmpfile(
    parent: number,
    options: CreateOptions & { caller: Caller; flags: number },
    out: { entry: Entry; opened: Opened },
  ): Outcome {
    return this.#shown(super.tmpfile(parent, this.#onDisk(options), out), out.entry.attr);
  }

  override setxattr(
    nodeid: number,
    name: ByteString,
    value: Buffer,
    options: { flags: number; killSgid: boolean },
  ): Outcome {
    if (this.#isHidden(name)) return -errno.EPERM;
    if (!name.startsWith(ACL_PREFIX)) return super.setxattr(nodeid, name, value, options);
    const acl = this.#ids.diskAcl(value);
    return typeof acl === 'number' ? acl : super.setxattr(nodeid, name, acl, options);
  }

  override getxattr(nodeid: number, name: ByteString): Buffer | number {
    if (this.#isHidden(name)) return -errno.ENODATA;
    const value = super.getxattr(nodeid, name);
    return typeof value === 'number' || !name.startsWith(ACL_PREFIX) ? value : this.#ids.shownAcl(value);
  }

  override listxattr(nodeid: number, caller: Caller): ByteString[] | number {
    const names = super.listxattr(nodeid, caller);
    return typeof names === 'number' ? names : names.filter((name) => !this.#isHidden(name));
  }

  override removexattr(nodeid: number, name: ByteString): Outcome {
    return this.#isHidden(name) ? -errno.ENODATA : super.removexattr(nodeid, name);
  }

  override readdir(nodeid: number, offset: number, sink: DirectorySink): number {
    const shown: DirectorySink = {
      plus: sink.plus,
      entry: sink.entry,
      fits: (nameLength) => sink.fits(nameLength),
      add: (name, type, next) => {
        this.#show(sink.entry.attr);
        sink.add(name, type, next);
      },
    };
    return super.readdir(nodeid, offset, shown);
  }
}
