// From a request to a handler and from its outcome to the bytes of a reply. The only place where an
// exception becomes an errno.

import { SysError, VeneerError, errno } from '../core/index.js';
import { readAttrChange } from './attr-change.js';
import { Attr, Entry } from './attr.js';
import { ReplySink } from './directory-sink.js';
import { Opened } from './filesystem.js';
import type { Caller, Filesystem, Outcome } from './filesystem.js';
import * as abi from './wire/abi.js';
import type { Statistics } from './statistics.js';
import { BODY_SIZE, OUT_HEADER, opcode, opcodeName } from './wire/abi.js';
import { FLAGS_LENGTH, readFlagIoctl } from './wire/flag-ioctl.js';
import * as reply from './wire/reply.js';
import { WireError } from './wire/request.js';
import type { Request } from './wire/request.js';

/** Writes the body of a reply for a handler's outcome `value` >= 0; returns the reply's end. */
type Encode = (value: number) => number;

/** The kernel's id of a request whose answer comes later. */
interface Pending {
  readonly uniqueLow: number;
  readonly uniqueHigh: number;
  readonly op: number;
  readonly nodeid: number;
  /** When it was read, in milliseconds; 0 if nobody watches. */
  readonly began: number;
}

export interface DispatchOptions {
  readonly filesystem: Filesystem;
  /** Where replies are built: as large as the largest read, plus a header. */
  readonly replyBuffer: Buffer;
  readonly validity: reply.Validity;
  /** Answer OPEN with ENOSYS, once: the kernel opens and closes files by itself from then on, and keeps their pages. */
  readonly noOpen: boolean;
  readonly statistics: Statistics;
  /** Sends the first `length` bytes of the reply buffer. */
  readonly send: (length: number) => void;
  /** Sends the reply in the reply buffer, a header alone, when there is nothing more urgent. */
  readonly sendLater: () => void;
  readonly logError: (message: string, error: unknown) => void;
}

const BODY = OUT_HEADER.size;
/** A marker outcome: this request gets no reply. */
const NO_REPLY = Number.MIN_SAFE_INTEGER;

export class Dispatcher {
  readonly #fs: Filesystem;
  readonly #out: Buffer;
  readonly #validity: reply.Validity;
  readonly #noOpen: boolean;
  readonly #statistics: Statistics;
  readonly #send: (length: number) => void;
  readonly #sendLater: () => void;
  readonly #logError: DispatchOptions['logError'];
  readonly #sink: ReplySink;
  #entry = new Entry();
  #attr = new Attr();
  #opened = new Opened();
  /** Requests whose handlers returned a promise that is not settled yet. */
  pending = 0;

  constructor(options: DispatchOptions) {
    this.#fs = options.filesystem;
    this.#out = options.replyBuffer;
    this.#validity = options.validity;
    this.#noOpen = options.noOpen;
    this.#statistics = options.statistics;
    this.#send = options.send;
    this.#sendLater = options.sendLater;
    this.#logError = options.logError;
    this.#sink = new ReplySink(options.replyBuffer, options.validity);
  }

  /** Handles one request; its reply is sent before this returns, unless the handler needs time. */
  handle(request: Request): void {
    const id: Pending = {
      uniqueLow: request.uniqueLow,
      uniqueHigh: request.uniqueHigh,
      op: request.opcode,
      nodeid: request.nodeid,
      began: this.#statistics.watched ? performance.now() : 0,
    };
    try {
      const outcome = this.#run(request, id);
      if (outcome !== NO_REPLY) this.#finish(id, outcome);
      else if (id.op === opcode.FORGET || id.op === opcode.BATCH_FORGET) this.#record(id, false);
    } catch (error) {
      const failure = -this.#errnoOf(error, id);
      if (id.op !== opcode.FORGET && id.op !== opcode.BATCH_FORGET) this.#reply(id, failure, BODY);
    }
  }

  /** `outcome` < 0 is an errno, else the end of a reply already encoded. */
  #finish(id: Pending, outcome: number): void {
    if (outcome < 0) this.#reply(id, outcome === -errno.ENOSYS ? -errno.EIO : outcome, BODY);
    else this.#reply(id, 0, outcome);
  }

  #reply(id: Pending, error: number, length: number): void {
    reply.writeHeader(this.#out, { length, error, uniqueLow: id.uniqueLow, uniqueHigh: id.uniqueHigh });
    if (id.op === opcode.RELEASE) this.#sendLater();
    else this.#send(length);
    this.#record(id, error !== 0);
  }

  #record({ began, op }: Pending, failed: boolean): void {
    if (began !== 0) this.#statistics.record(op, (performance.now() - began) * 1000, failed);
  }

  /** ENOSYS is never among the answers here: the kernel would stop asking for good. */
  #errnoOf(error: unknown, id: Pending): number {
    if (error instanceof SysError) return error.errno === errno.ENOSYS ? errno.EIO : error.errno;
    if (error instanceof WireError) {
      this.#logError(`malformed ${opcodeName(id.op)} for node ${String(id.nodeid)}`, error);
      return errno.EINVAL;
    }
    const known = error instanceof VeneerError;
    this.#logError(`${opcodeName(id.op)} of node ${String(id.nodeid)} ${known ? 'failed' : 'threw'}`, error);
    return errno.EIO;
  }

  /** Encodes an outcome now, or when its promise settles. */
  #then(id: Pending, outcome: Outcome, encode: Encode): number {
    if (typeof outcome === 'number') return outcome < 0 ? outcome : encode(outcome);
    // The handler keeps the objects it was given; the next request gets new ones.
    this.#entry = new Entry();
    this.#attr = new Attr();
    this.#opened = new Opened();
    this.pending += 1;
    outcome
      .then((value) => {
        this.#finish(id, value < 0 ? value : encode(value));
      })
      .catch((error: unknown) => {
        this.#reply(id, -this.#errnoOf(error, id), BODY);
      })
      .finally(() => {
        this.pending -= 1;
      })
      .catch((error: unknown) => {
        this.#logError(`reply to ${opcodeName(id.op)} failed`, error);
      });
    return NO_REPLY;
  }

  #empty(id: Pending, outcome: Outcome): number {
    return this.#then(id, outcome, () => BODY);
  }

  #withEntry(id: Pending, entry: Entry, outcome: Outcome): number {
    return this.#then(id, outcome, () => BODY + reply.writeEntry(this.#out, BODY, entry, this.#validity));
  }

  #withAttr(id: Pending, attr: Attr, outcome: Outcome): number {
    return this.#then(id, outcome, () => BODY + reply.writeAttrOut(this.#out, BODY, attr, this.#validity));
  }

  #withSize(id: Pending, outcome: Outcome): number {
    return this.#then(id, outcome, (value) => BODY + reply.writeSize(this.#out, BODY, value));
  }

  #withOpened(id: Pending, opened: Opened, outcome: Outcome): number {
    return this.#then(id, outcome, () => BODY + reply.writeOpenOut(this.#out, BODY, opened));
  }

  #withEntryAndOpened(id: Pending, out: { entry: Entry; opened: Opened }, outcome: Outcome): number {
    return this.#then(id, outcome, () => {
      const length = reply.writeEntry(this.#out, BODY, out.entry, this.#validity);
      return BODY + length + reply.writeOpenOut(this.#out, BODY + length, out.opened);
    });
  }

  #newOut(): { entry: Entry; opened: Opened } {
    const out = { entry: this.#entry, opened: this.#opened };
    out.opened.fh = 0;
    out.opened.flags = 0;
    out.opened.backingId = 0;
    return out;
  }

  #run(q: Request, id: Pending): number {
    const fs = this.#fs;
    const { nodeid } = q;
    switch (q.opcode) {
      case opcode.LOOKUP:
        return this.#withEntry(id, this.#entry, fs.lookup(nodeid, q.name(), this.#entry));
      case opcode.FORGET:
        q.body(BODY_SIZE.forget);
        fs.forget(nodeid, q.u64(0));
        return NO_REPLY;
      case opcode.BATCH_FORGET:
        return this.#batchForget(q);
      case opcode.GETATTR: {
        q.body(BODY_SIZE.getattr);
        const fh = (q.u32(0) & abi.FUSE_GETATTR_FH) !== 0 ? q.u64(8) : undefined;
        return this.#withAttr(id, this.#attr, fs.getattr(nodeid, fh, this.#attr));
      }
      case opcode.STATX: {
        q.body(BODY_SIZE.statx);
        const attr = this.#attr;
        const fh = (q.u32(0) & abi.FUSE_GETATTR_FH) !== 0 ? q.u64(8) : undefined;
        return this.#then(id, fs.getattr(nodeid, fh, attr), () => {
          return BODY + reply.writeStatxOut(this.#out, BODY, attr, this.#validity);
        });
      }
      case opcode.SETATTR:
        q.body(BODY_SIZE.setattr);
        return this.#withAttr(id, this.#attr, fs.setattr(nodeid, readAttrChange(q), this.#attr));
      case opcode.READLINK: {
        const target = fs.readlink(nodeid);
        return typeof target === 'number' ? target : BODY + this.#out.write(target, BODY, 'latin1');
      }
      case opcode.SYMLINK: {
        const name = q.name();
        const options = { caller: callerOf(q), target: q.name() };
        return this.#withEntry(id, this.#entry, fs.symlink(nodeid, name, options, this.#entry));
      }
      case opcode.MKNOD: {
        q.body(BODY_SIZE.mknod);
        const options = { caller: callerOf(q), mode: q.u32(0), rdev: q.u32(4), umask: q.u32(8) };
        return this.#withEntry(id, this.#entry, fs.mknod(nodeid, q.name(), options, this.#entry));
      }
      case opcode.MKDIR: {
        q.body(BODY_SIZE.mkdir);
        const options = { caller: callerOf(q), mode: q.u32(0), umask: q.u32(4) };
        return this.#withEntry(id, this.#entry, fs.mkdir(nodeid, q.name(), options, this.#entry));
      }
      case opcode.UNLINK:
        return this.#empty(id, fs.unlink(nodeid, q.name()));
      case opcode.RMDIR:
        return this.#empty(id, fs.rmdir(nodeid, q.name()));
      case opcode.RENAME:
      case opcode.RENAME2: {
        const second = q.opcode === opcode.RENAME2;
        q.body(second ? BODY_SIZE.rename2 : BODY_SIZE.rename);
        const newParent = q.u64(0);
        const flags = second ? q.u32(8) : 0;
        const name = q.name();
        return this.#empty(id, fs.rename({ parent: nodeid, name, newParent, newName: q.name(), flags }));
      }
      case opcode.LINK: {
        q.body(BODY_SIZE.link);
        return this.#withEntry(id, this.#entry, fs.link(q.u64(0), nodeid, q.name(), this.#entry));
      }
      case opcode.OPEN: {
        if (this.#noOpen) {
          this.#reply(id, -errno.ENOSYS, BODY);
          return NO_REPLY;
        }
        q.body(BODY_SIZE.open);
        const { opened } = this.#newOut();
        const killSuidgid = (q.u32(4) & abi.FUSE_OPEN_KILL_SUIDGID) !== 0;
        const options = { caller: callerOf(q), flags: q.u32(0), killSuidgid };
        return this.#withOpened(id, opened, fs.open(nodeid, options, opened));
      }
      case opcode.CREATE: {
        q.body(BODY_SIZE.create);
        const out = this.#newOut();
        const options = { caller: callerOf(q), flags: q.u32(0), mode: q.u32(4), umask: q.u32(8) };
        return this.#withEntryAndOpened(id, out, fs.create(nodeid, q.name(), options, out));
      }
      case opcode.TMPFILE: {
        q.body(BODY_SIZE.create);
        const out = this.#newOut();
        const options = { caller: callerOf(q), flags: q.u32(0), mode: q.u32(4), umask: q.u32(8) };
        return this.#withEntryAndOpened(id, out, fs.tmpfile(nodeid, options, out));
      }
      case opcode.READ:
        return this.#read(q, id);
      case opcode.WRITE: {
        q.body(BODY_SIZE.write);
        const killSuidgid = (q.u32(20) & abi.FUSE_WRITE_KILL_SUIDGID) !== 0;
        return this.#withSize(id, fs.write(q.u64(0), { offset: q.offset(8), killSuidgid }, q.data(q.u32(16))));
      }
      case opcode.STATFS: {
        const status = fs.statfs(nodeid);
        return typeof status === 'number' ? status : BODY + reply.writeStatfs(this.#out, BODY, status);
      }
      case opcode.RELEASE:
        q.body(BODY_SIZE.release);
        fs.release(nodeid, q.u64(0));
        return BODY;
      case opcode.FSYNC:
        q.body(BODY_SIZE.fsync);
        return this.#empty(id, fs.fsync(q.u64(0), (q.u32(8) & abi.FUSE_FSYNC_FDATASYNC) !== 0));
      case opcode.FSYNCDIR:
        q.body(BODY_SIZE.fsync);
        return this.#empty(id, fs.fsyncdir(nodeid, (q.u32(8) & abi.FUSE_FSYNC_FDATASYNC) !== 0));
      case opcode.SETXATTR: {
        q.body(BODY_SIZE.setxattr);
        const options = { flags: q.u32(4), killSgid: (q.u32(8) & abi.FUSE_SETXATTR_ACL_KILL_SGID) !== 0 };
        const name = q.name();
        return this.#empty(id, fs.setxattr(nodeid, name, q.data(q.u32(0)), options));
      }
      case opcode.GETXATTR:
        q.body(BODY_SIZE.getxattr);
        return this.#bytes(fs.getxattr(nodeid, q.name()), q.u32(0));
      case opcode.LISTXATTR: {
        q.body(BODY_SIZE.getxattr);
        const names = fs.listxattr(nodeid, q);
        if (typeof names === 'number') return names;
        return this.#bytes(Buffer.from(names.map((name) => `${name}\0`).join(''), 'latin1'), q.u32(0));
      }
      case opcode.REMOVEXATTR:
        return this.#empty(id, fs.removexattr(nodeid, q.name()));
      case opcode.READDIR:
      case opcode.READDIRPLUS: {
        q.body(BODY_SIZE.read);
        this.#sink.reset(BODY, Math.min(q.u32(16), this.#out.length - BODY), q.opcode === opcode.READDIRPLUS);
        return this.#then(id, fs.readdir(nodeid, q.u64(8), this.#sink), () => this.#sink.end);
      }
      case opcode.FALLOCATE: {
        q.body(BODY_SIZE.fallocate);
        const range = { offset: q.offset(8), length: q.offset(16), mode: q.u32(24) };
        return this.#empty(id, fs.fallocate(q.u64(0), range, q));
      }
      case opcode.LSEEK: {
        q.body(BODY_SIZE.lseek);
        const [fh, offset, whence] = [q.u64(0), q.offset(8, errno.ENXIO), q.u32(16)];
        const found = fh === NOT_OPENED ? fs.lseekNode(nodeid, offset, whence) : fs.lseek(fh, offset, whence);
        return this.#then(id, found, (value) => BODY + reply.writeWide(this.#out, BODY, value));
      }
      case opcode.COPY_FILE_RANGE: {
        q.body(BODY_SIZE.copyFileRange);
        const length = Math.min(q.u32(40) + q.u32(44) * 0x100000000, MAX_COPY);
        const range = {
          fhIn: q.u64(0),
          offsetIn: q.offset(8),
          fhOut: q.u64(24),
          offsetOut: q.offset(32),
          length,
        };
        return this.#withSize(id, fs.copyFileRange(range, q));
      }
      case opcode.IOCTL:
        return this.#ioctl(q, id);
      case opcode.INTERRUPT:
        // Requests are answered in the order they come; one that still takes time is not worth breaking off.
        return NO_REPLY;
      case opcode.DESTROY:
        return BODY;
      default:
        // On purpose: OPENDIR (NO_OPENDIR), FLUSH, ACCESS, locks, BMAP, POLL and what later kernels add. See native-notes/reply-rules.md.
        this.#reply(id, -errno.ENOSYS, BODY);
        return NO_REPLY;
    }
  }

  #ioctl(q: Request, id: Pending): number {
    const call = readFlagIoctl(q);
    // What programs expect of a file system without an ioctl.
    if (call === undefined) return -errno.ENOTTY;
    if (call.sets) {
      const done = this.#fs.setFlags(q.nodeid, call.form, q.data(FLAGS_LENGTH[call.form]));
      return this.#then(id, done, () => BODY + reply.writeIoctlOut(this.#out, BODY, NOTHING));
    }
    const value = this.#fs.getFlags(q.nodeid, call.form);
    return typeof value === 'number' ? value : BODY + reply.writeIoctlOut(this.#out, BODY, value);
  }

  #batchForget(q: Request): number {
    q.body(BODY_SIZE.batchForget);
    const count = q.u32(0);
    q.body(BODY_SIZE.batchForget + count * BODY_SIZE.forgetOne);
    for (let index = 0; index < count; index += 1) {
      const at = BODY_SIZE.batchForget + index * BODY_SIZE.forgetOne;
      this.#fs.forget(q.u64(at), q.u64(at + 8));
    }
    return NO_REPLY;
  }

  #read(q: Request, id: Pending): number {
    q.body(BODY_SIZE.read);
    const size = q.u32(16);
    if (size > this.#out.length - BODY) return -errno.EINVAL;
    const [fh, offset] = [q.u64(0), q.offset(8, errno.EINVAL)];
    const into = this.#out.subarray(BODY, BODY + size);
    const outcome = fh === NOT_OPENED ? this.#fs.readNode(q.nodeid, offset, into) : this.#fs.read(fh, offset, into);
    return this.#then(id, outcome, (length) => BODY + length);
  }

  /** The protocol of getxattr(2): size 0 asks for the length. */
  #bytes(value: Buffer | number, size: number): number {
    if (typeof value === 'number') return value;
    if (size === 0) return BODY + reply.writeSize(this.#out, BODY, value.length);
    if (value.length > size) return -errno.ERANGE;
    return BODY + value.copy(this.#out, BODY);
  }
}

/** The handle of a file whose OPEN was answered with ENOSYS. */
const NOT_OPENED = 0;

const NOTHING = Buffer.alloc(0);

/** A 32-bit count is what the reply can say. */
const MAX_COPY = 0x7ffff000;

function callerOf({ uid, gid }: Request): Caller {
  return { uid, gid };
}
