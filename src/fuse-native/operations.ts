// The handlers of `fuse-native`, made from a Filesystem: each finds the nodes of its paths, asks, and answers. None may
// throw: an exception in a callback of the binding ends the process.

import { SysError, errno } from '../core/index.js';
import { Attr, Entry, Opened } from '../fuse/index.js';
import type { AttrChange, Caller, Filesystem, Outcome } from '../fuse/index.js';
import { O_CREAT, O_RDWR } from '../sys/index.js';
import { ShortInos, nativeStat, nativeStatus } from './attributes.js';
import type { Done, DoneWith, NativeOperations, NativeStat, NativeValue } from './library.js';
import { listDirectory } from './listing.js';
import { PathNodes } from './path-nodes.js';
import type { Place } from './path-nodes.js';
import { bytesOf, textOf } from './text.js';

export interface OperationsSetup {
  readonly filesystem: Filesystem;
  readonly logError: (message: string, error: unknown) => void;
}

type Reply = Outcome | Promise<Outcome>;

/** An id that chown(2) leaves as it is. */
const UNCHANGED = 0xffffffff;

const timestamp = (milliseconds: number): { sec: number; nsec: number } => ({
  sec: Math.floor(milliseconds / 1000),
  nsec: (milliseconds % 1000) * 1e6,
});

export class Operations implements NativeOperations {
  readonly #fs: Filesystem;
  readonly #logError: OperationsSetup['logError'];
  readonly #paths: PathNodes;
  readonly #inos = new ShortInos();
  /** Nodes by open handle. */
  readonly #opens = new Map<number, number>();
  /** Who asks is not told. Only the user who mounted is let in, so new files are that user's. */
  readonly #caller: Caller = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
  #running = 0;

  constructor(setup: OperationsSetup) {
    this.#fs = setup.filesystem;
    this.#logError = setup.logError;
    this.#paths = new PathNodes(setup.filesystem);
  }

  /** Runs a handler; what it throws becomes an errno. */
  async #run(what: string, work: () => Reply): Promise<number> {
    if (this.#running === 0) this.#paths.trim();
    this.#running += 1;
    try {
      const outcome = work();
      if (typeof outcome === 'number') return outcome;
      const status = await outcome;
      // To libfuse it would mean that there is no such operation at all.
      return status === -errno.ENOSYS ? -errno.EIO : status;
    } catch (error) {
      if (error instanceof SysError && error.errno !== errno.ENOSYS) return -error.errno;
      this.#logError(`${what} threw`, error);
      return -errno.EIO;
    } finally {
      this.#running -= 1;
    }
  }

  #answer(what: string, done: Done, work: () => Reply): void {
    void this.#run(what, work).then(done);
  }

  /** Answers with a value that the work leaves. */
  #answerWith<T>(what: string, done: DoneWith<T>, work: (keep: (value: T) => void) => Reply): void {
    let value: T | undefined;
    const kept = this.#run(what, () => work((made) => (value = made)));
    void kept.then((status) => {
      if (status < 0) done(status);
      else done(status, value);
    });
  }

  async #onNode(path: string, work: (nodeid: number) => Reply): Promise<number> {
    const nodeid = await this.#paths.find(path);
    return nodeid < 0 ? nodeid : work(nodeid);
  }

  async #onPlace(path: string, work: (place: Place) => Reply): Promise<number> {
    const place = await this.#paths.place(path);
    return typeof place === 'number' ? place : work(place);
  }

  /** Makes something at a path; the reference it comes with is kept. */
  #make(what: string, path: string, done: Done, work: (place: Place, entry: Entry) => Outcome): void {
    this.#answer(what, done, () =>
      this.#onPlace(path, async (place) => {
        const entry = new Entry();
        const status = await work(place, entry);
        if (status >= 0) this.#paths.adopt(path, entry);
        return status;
      }),
    );
  }

  #change(what: string, path: string, done: Done, change: AttrChange): void {
    this.#answer(what, done, () => this.#onNode(path, (nodeid) => this.#fs.setattr(nodeid, change, new Attr())));
  }

  #isOpen(nodeid: number): boolean {
    return [...this.#opens.values()].includes(nodeid);
  }

  readonly getattr: NativeOperations['getattr'] = (path, done) => {
    this.#answerWith('getattr', done, async (keep: (value: NativeStat) => void) => {
      const attr = await this.#paths.attributes(path);
      if (typeof attr === 'number') return attr;
      // Libfuse takes one away for its own hidden name.
      if (this.#paths.isHidden(path)) attr.nlink += 1;
      keep(nativeStat(attr, this.#inos.of(attr)));
      return 0;
    });
  };

  readonly readdir: NativeOperations['readdir'] = (path, done) => {
    let listing: { names: string[]; stats: NativeStat[] } | undefined;
    const work = (nodeid: number): number => {
      const listed = listDirectory(this.#fs, nodeid, this.#inos);
      if (typeof listed === 'number') return listed;
      listing = listed;
      return 0;
    };
    void this.#run('readdir', () => this.#onNode(path, work)).then((status) => {
      done(status, listing?.names, listing?.stats);
    });
  };

  readonly readlink: NativeOperations['readlink'] = (path, done) => {
    this.#answerWith('readlink', done, (keep) =>
      this.#onNode(path, (nodeid) => {
        const target = this.#fs.readlink(nodeid);
        if (typeof target === 'number') return target;
        const text = textOf(target);
        if (text === undefined) return -errno.EILSEQ;
        keep(text);
        return 0;
      }),
    );
  };

  readonly statfs: NativeOperations['statfs'] = (path, done) => {
    this.#answerWith('statfs', done, (keep) =>
      this.#onNode(path, (nodeid) => {
        const status = this.#fs.statfs(nodeid);
        if (typeof status === 'number') return status;
        keep(nativeStatus(status));
        return 0;
      }),
    );
  };

  readonly open: NativeOperations['open'] = (path, flags, done) => {
    this.#answerWith('open', done, (keep) =>
      this.#onNode(path, async (nodeid) => {
        const opened = new Opened();
        const status = await this.#fs.open(nodeid, { caller: this.#caller, flags, killSuidgid: false }, opened);
        if (status < 0) return status;
        this.#opens.set(opened.fh, nodeid);
        this.#paths.pin(opened.fh, path);
        keep(opened.fh);
        return 0;
      }),
    );
  };

  /** The flags of the open are not told; the kernel holds the file to them. */
  readonly create: NativeOperations['create'] = (path, mode, done) => {
    this.#answerWith('create', done, (keep) =>
      this.#onPlace(path, async ({ parent, name }) => {
        const out = { entry: new Entry(), opened: new Opened() };
        const how = { caller: this.#caller, mode, umask: 0, flags: O_RDWR | O_CREAT };
        const status = await this.#fs.create(parent, name, how, out);
        if (status < 0) return status;
        this.#paths.adopt(path, out.entry);
        this.#opens.set(out.opened.fh, out.entry.nodeid);
        this.#paths.pin(out.opened.fh, path);
        keep(out.opened.fh);
        return 0;
      }),
    );
  };

  readonly read: NativeOperations['read'] = (_path, fh, into, _length, offset, done) => {
    this.#answer('read', done, () => this.#fs.read(fh, offset, into));
  };

  readonly write: NativeOperations['write'] = (_path, fh, data, _length, offset, done) => {
    this.#answer('write', done, () => this.#fs.write(fh, { offset, killSuidgid: false }, data));
  };

  readonly release: NativeOperations['release'] = (_path, fh, done) => {
    this.#answer('release', done, () => {
      const nodeid = this.#opens.get(fh);
      if (nodeid === undefined) return -errno.EBADF;
      this.#opens.delete(fh);
      this.#paths.unpin(fh);
      this.#fs.release(nodeid, fh);
      if (!this.#isOpen(nodeid)) this.#paths.reveal(nodeid);
      return 0;
    });
  };

  readonly fsync: NativeOperations['fsync'] = (_path, datasync, fh, done) => {
    this.#answer('fsync', done, () => this.#fs.fsync(fh, datasync !== 0));
  };

  readonly fsyncdir: NativeOperations['fsyncdir'] = (path, datasync, _fh, done) => {
    this.#answer('fsyncdir', done, () => this.#onNode(path, (nodeid) => this.#fs.fsyncdir(nodeid, datasync !== 0)));
  };

  readonly truncate: NativeOperations['truncate'] = (path, size, done) => {
    this.#change('truncate', path, done, { size });
  };

  readonly ftruncate: NativeOperations['ftruncate'] = (_path, fh, size, done) => {
    this.#answer('ftruncate', done, () => {
      const nodeid = this.#opens.get(fh);
      return nodeid === undefined ? -errno.EBADF : this.#fs.setattr(nodeid, { size, fh }, new Attr());
    });
  };

  readonly chmod: NativeOperations['chmod'] = (path, mode, done) => {
    this.#change('chmod', path, done, { mode });
  };

  readonly chown: NativeOperations['chown'] = (path, uid, gid, done) => {
    const change: AttrChange = {};
    if (uid !== UNCHANGED) change.uid = uid;
    if (gid !== UNCHANGED) change.gid = gid;
    this.#change('chown', path, done, change);
  };

  readonly utimens: NativeOperations['utimens'] = (path, atime, mtime, done) => {
    this.#change('utimens', path, done, { atime: timestamp(atime), mtime: timestamp(mtime) });
  };

  readonly mknod: NativeOperations['mknod'] = (path, mode, rdev, done) => {
    const how = { caller: this.#caller, mode, umask: 0, rdev };
    this.#make('mknod', path, done, ({ parent, name }, entry) => this.#fs.mknod(parent, name, how, entry));
  };

  readonly mkdir: NativeOperations['mkdir'] = (path, mode, done) => {
    const how = { caller: this.#caller, mode, umask: 0 };
    this.#make('mkdir', path, done, ({ parent, name }, entry) => this.#fs.mkdir(parent, name, how, entry));
  };

  readonly symlink: NativeOperations['symlink'] = (text, path, done) => {
    const target = bytesOf(text);
    this.#make('symlink', path, done, ({ parent, name }, entry) =>
      target === undefined ? -errno.EILSEQ : this.#fs.symlink(parent, name, { caller: this.#caller, target }, entry),
    );
  };

  readonly link: NativeOperations['link'] = (from, to, done) => {
    this.#make('link', to, done, async ({ parent, name }, entry) => {
      const nodeid = await this.#paths.find(from);
      return nodeid < 0 ? nodeid : this.#fs.link(nodeid, parent, name, entry);
    });
  };

  readonly rename: NativeOperations['rename'] = (from, to, done) => {
    this.#answer('rename', done, async () => {
      const source = await this.#paths.place(from);
      if (typeof source === 'number') return source;
      const nodeid = await this.#paths.find(from);
      if (nodeid < 0) return nodeid;
      if (PathNodes.isHiding(from, to) && this.#isOpen(nodeid)) {
        const status = await this.#fs.unlink(source.parent, source.name);
        if (status >= 0) this.#paths.hide(from, to);
        return status;
      }
      return this.#onPlace(to, async (target) => {
        const status = await this.#fs.rename({
          ...source,
          newParent: target.parent,
          newName: target.name,
          flags: 0,
        });
        if (status >= 0) this.#paths.moved(from, to);
        return status;
      });
    });
  };

  readonly unlink: NativeOperations['unlink'] = (path, done) => {
    this.#remove('unlink', path, done, ({ parent, name }) => this.#fs.unlink(parent, name));
  };

  readonly rmdir: NativeOperations['rmdir'] = (path, done) => {
    this.#remove('rmdir', path, done, ({ parent, name }) => this.#fs.rmdir(parent, name));
  };

  #remove(what: string, path: string, done: Done, work: (place: Place) => Outcome): void {
    this.#answer(what, done, () =>
      this.#onPlace(path, async (place) => {
        const status = await work(place);
        if (status >= 0) this.#paths.drop(path);
        return status;
      }),
    );
  }

  readonly setxattr: NativeOperations['setxattr'] = (path, text, value, _position, flags, done) => {
    const name = bytesOf(text);
    this.#answer('setxattr', done, () =>
      this.#onNode(path, (nodeid) =>
        name === undefined ? -errno.EILSEQ : this.#fs.setxattr(nodeid, name, value, { flags, killSgid: false }),
      ),
    );
  };

  readonly getxattr: NativeOperations['getxattr'] = (path, text, _position, done) => {
    const name = bytesOf(text);
    this.#answerWith('getxattr', done, (keep: (value: NativeValue) => void) =>
      this.#onNode(path, (nodeid) => {
        const value = name === undefined ? -errno.ENODATA : this.#fs.getxattr(nodeid, name);
        if (typeof value === 'number') return value;
        keep(boundedValue(value));
        return 0;
      }),
    );
  };

  readonly listxattr: NativeOperations['listxattr'] = (path, done) => {
    let texts: string[] = [];
    const work = (nodeid: number): number => {
      const names = this.#fs.listxattr(nodeid, this.#caller);
      if (typeof names === 'number') return names;
      texts = names.flatMap((name) => textOf(name) ?? []);
      return 0;
    };
    void this.#run('listxattr', () => this.#onNode(path, work)).then((status) => {
      try {
        if (status < 0) done(status);
        else done(0, texts);
      } catch {
        // The package writes past the end of a buffer that is too small, which throws.
        done(-errno.ERANGE);
      }
    });
  };

  readonly removexattr: NativeOperations['removexattr'] = (path, text, done) => {
    const name = bytesOf(text);
    this.#answer('removexattr', done, () =>
      this.#onNode(path, (nodeid) => (name === undefined ? -errno.ENODATA : this.#fs.removexattr(nodeid, name))),
    );
  };
}

/** A value that answers ERANGE for a buffer it does not fit into; the package does not look. */
function boundedValue(value: Buffer): NativeValue {
  let length = value.length;
  return {
    get length() {
      return length;
    },
    copy(into) {
      if (into.length > 0 && into.length < value.length) length = -errno.ERANGE;
      else value.copy(into);
    },
  };
}
