// The work directory: where files are made before one rename or link shows them. `work` holds what is being
// made, `index` the upper inodes of hard links that span layers; both as overlayfs lays them out.

import { VeneerError, errno, toByteString } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import { LayerDir, RealDir } from '../stack/index.js';
import type { Ino } from '../stack/index.js';
import {
  AT_FDCWD,
  AT_REMOVEDIR,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  Stat,
  close,
  fchmod,
  linkat,
  listDirectory,
  mkdirat,
  must,
  openat,
  removexattr,
  setxattr,
  statx,
  unlinkat,
  visitDirectory,
} from '../sys/index.js';
import { TRUSTED, USER, announceXattrWhiteouts, makeWhiteout, makeXattrWhiteout } from '../whiteout/index.js';
import type { XattrNamespace } from '../whiteout/index.js';
import { removeAcls } from './acl.js';
import { dropOrphans } from './hard-links.js';

const WORK = 'work';
const INDEX = 'index';

/** So many files are removed in one go while nobody waits: a part of a millisecond. */
const SLICE = 64;
/** So many directories may wait for that: they are links of `work`, of which some file systems have a limit. */
const MOST_DISCARDED = 1000;
/** So many names are read ahead for that. */
const READ_AHEAD = 4096;

/** Removes everything in a directory. Returns 0 or the first -errno. */
export function emptyDirectory(dirfd: number): number {
  const entries = listDirectory(dirfd);
  if (typeof entries === 'number') return entries;
  for (const { name } of entries) {
    let status = unlinkat(dirfd, name);
    if (status === -errno.EISDIR) status = removeTree(dirfd, name);
    if (status < 0 && status !== -errno.ENOENT) return status;
  }
  return 0;
}

/** Removes a directory with all it holds, never following a link. Returns 0 or -errno. */
export function removeTree(dirfd: number, name: ByteString): number {
  const fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (fd < 0) return fd;
  const emptied = emptyDirectory(fd);
  close(fd);
  return emptied < 0 ? emptied : unlinkat(dirfd, name, AT_REMOVEDIR);
}

/** The kernel's marker of a mount that was not to be synced: `work/incompat/volatile`. */
function hasVolatileMarker(work: number): boolean {
  return statx(work, 'incompat/volatile', new Stat()) >= 0;
}

export class WorkDir {
  /** The workdir itself; its lock is the mount's. */
  readonly root: LayerDir;
  /** `work`: things being made. */
  readonly fd: number;
  /** `index`. */
  readonly index: RealDir;
  readonly #indexLayer: LayerDir;
  /** Where the overlay's marks can be written. */
  readonly namespace: XattrNamespace;
  #sequence = 0;
  #whiteout: ByteString | undefined;
  /** Whiteouts are made as files with an attribute: mknod was refused. */
  #byXattr = false;
  #whiteoutIno: Ino | undefined;
  /** Directories in `work` to be removed, and what is known to be in the last of them. */
  readonly #discarded: ByteString[] = [];
  #contents: ByteString[] = [];

  /** Takes over an existing directory and cleans what a killed server left in it. Throws VeneerError or SysError. */
  constructor(path: string, namespace?: XattrNamespace) {
    this.root = new LayerDir(path, -1);
    this.namespace = namespace ?? allowedNamespace(this.root.fd);
    this.fd = ownDirectory(this.root, WORK);
    close(ownDirectory(this.root, INDEX));
    if (hasVolatileMarker(this.fd)) {
      throw new VeneerError('invalid', `'${path}' belongs to a volatile mount that was not un-mounted cleanly`, {
        hint: `its upper directory may have lost data; to use it all the same, remove ${path}/work/incompat/volatile`,
      });
    }
    must(emptyDirectory(this.fd), 'clean', `${path}/${WORK}`);
    this.#indexLayer = new LayerDir(`${path}/${INDEX}`, -1);
    this.index = new RealDir(this.#indexLayer);
    must(dropOrphans(this.index.fd(), this.namespace), 'clean', `${path}/${INDEX}`);
  }

  /** A name nothing in `work` has. */
  newName(): ByteString {
    this.#sequence += 1;
    return `#${this.#sequence.toString(16)}`;
  }

  /** Leaves the kernel's marker: whoever mounts this again after a crash is told. */
  markVolatile(): void {
    makeDirectory(this.fd, 'incompat');
    makeDirectory(this.fd, 'incompat/volatile');
  }

  /**
   * Makes a whiteout `name` in `dirfd`, where nothing has that name, to stay in the directory `home`. All are links of
   * one file, as the kernel makes them: a link is cheaper than an inode.
   */
  whiteout(dirfd: number, name: ByteString, home = dirfd): number {
    const announced = this.announce(home);
    if (announced < 0) return announced;
    if (this.#whiteout !== undefined) {
      const linked = linkat({ dirfd: this.fd, name: this.#whiteout }, { dirfd, name });
      if (linked !== -errno.EMLINK && linked !== -errno.EXDEV && linked !== -errno.EPERM) return linked;
      unlinkat(this.fd, this.#whiteout);
      this.#whiteout = undefined;
    }
    const fresh = this.newName();
    const made = this.#byXattr ? makeXattrWhiteout(this.fd, fresh, this.namespace) : makeWhiteout(this.fd, fresh);
    if (made === -errno.EPERM && !this.#byXattr) {
      this.#byXattr = true;
      return this.whiteout(dirfd, name, home);
    }
    if (made < 0) return made;
    this.#whiteout = fresh;
    this.#whiteoutIno = this.#byXattr ? undefined : inoOf(this.fd, fresh);
    const linked = linkat({ dirfd: this.fd, name: fresh }, { dirfd, name });
    if (linked !== -errno.EMLINK && linked !== -errno.EPERM) return linked;
    return this.#byXattr ? makeXattrWhiteout(dirfd, name, this.namespace) : makeWhiteout(dirfd, name);
  }

  /** The next whiteout is a file of its own again. */
  forgetWhiteout(): void {
    if (this.#whiteout !== undefined) unlinkat(this.fd, this.#whiteout);
    this.#whiteout = undefined;
    this.#whiteoutIno = undefined;
  }

  /** The file of which whiteouts are links, as far as they are devices. */
  get whiteoutIno(): Ino | undefined {
    return this.#whiteoutIno;
  }

  /** Has a directory in `work` removed, with the files in it, when nobody waits; or by the next mount. */
  discard(name: ByteString): void {
    this.#discarded.push(name);
    this.#contents = [];
    if (this.#discarded.length > MOST_DISCARDED) this.tidy();
  }

  /** To be called when there is nothing to do: removes some of what was discarded. Whether there is more. */
  tidy(): boolean {
    const name = this.#discarded.at(-1);
    if (name === undefined) return false;
    if (!this.#removeSome(name)) {
      this.#discarded.pop();
      this.#contents = [];
    }
    return this.#discarded.length > 0;
  }

  /** Whether something of the directory is left that can be removed. */
  #removeSome(name: ByteString): boolean {
    const fd = openat(this.fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (fd < 0) return false;
    if (this.#contents.length === 0) {
      visitDirectory(fd, (entry) => {
        this.#contents.push(entry);
        return this.#contents.length < READ_AHEAD;
      });
    }
    const some = this.#contents.splice(-SLICE);
    const removed = some.filter((entry) => unlinkat(fd, entry) >= 0).length;
    close(fd);
    if (removed > 0) return this.#contents.length > 0 || unlinkat(this.fd, name, AT_REMOVEDIR) < 0;
    // Empty, or with something in it that nobody put there: that is left for the next mount.
    unlinkat(this.fd, name, AT_REMOVEDIR);
    return false;
  }

  /** Before a whiteout comes into a directory. Returns 0 or -errno. */
  announce(dirfd: number): number {
    return this.#byXattr ? announceXattrWhiteouts(dirfd, this.namespace) : 0;
  }

  /** Removes the shared whiteout and the volatile marker: a clean end. */
  close(): void {
    emptyDirectory(this.fd);
    close(this.fd);
    this.#indexLayer.close();
    this.root.close();
  }
}

function inoOf(dirfd: number, name: ByteString): Ino | undefined {
  const stat = new Stat();
  return statx(dirfd, name, stat) < 0 ? undefined : { inoLow: stat.inoLow, inoHigh: stat.inoHigh };
}

/** `trusted.` needs CAP_SYS_ADMIN in the initial user namespace; `user.` is open to whoever may write the file. */
function allowedNamespace(dirfd: number): XattrNamespace {
  const probe = `${TRUSTED}probe`;
  if (setxattr(dirfd, probe, Buffer.from('y')) === -errno.EPERM) return USER;
  removexattr(dirfd, probe);
  return TRUSTED;
}

function makeDirectory(dirfd: number, name: ByteString): void {
  const made = mkdirat(dirfd, name, 0o700);
  if (made !== -errno.EEXIST) must(made, 'mkdir', name);
}

/**
 * Makes and opens a directory of the work directory. What is made in it shall not get a group or an ACL from it
 * (ovl_workdir_create). Throws a SysError.
 */
function ownDirectory(root: LayerDir, name: ByteString): number {
  const path = `${root.path}/${name}`;
  makeDirectory(root.fd, name);
  const fd = must(openat(root.fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW), 'open', path);
  must(fchmod(fd, 0o700), 'chmod', path);
  must(removeAcls(fd), 'removexattr', path);
  return fd;
}

/** Whether two paths are on one file system. Throws a SysError. */
export function sameFileSystem(a: string, b: string): boolean {
  const first = new Stat();
  const second = new Stat();
  must(statx(AT_FDCWD, toByteString(a), first), 'stat', a);
  must(statx(AT_FDCWD, toByteString(b), second), 'stat', b);
  return first.dev === second.dev;
}
