// The kernel's record of where a copied-up file came from: `overlay.origin`, a file handle of the lower file
// (struct ovl_fb, fs/overlayfs/overlayfs.h). It keeps inode numbers stable and names the entries of the index.

import type { ByteString } from '../core/index.js';
import type { LayerDir, RealDir } from '../stack/index.js';
import { O_PATH, close, fileSystemUuid, fstatx, getxattr, nameToHandleAt, openByHandleAt } from '../sys/index.js';
import type { FileHandle, Stat, XattrTarget } from '../sys/index.js';
import type { XattrNamespace } from '../whiteout/index.js';

/** OVL_FH_VERSION, OVL_FH_MAGIC. */
const VERSION = 0;
const MAGIC = 0xfb;
/** version, magic, len, flags, type, uuid. */
const HEADER = 21;
const NO_UUID = Buffer.alloc(16);

/** Knows the layers' file systems by their uuid, which a handle carries. */
export class Origins {
  readonly #uuids = new Map<LayerDir, Buffer>();
  readonly #layers: LayerDir[];
  readonly #namespace: XattrNamespace;

  constructor(lowers: readonly LayerDir[], namespace: XattrNamespace) {
    this.#layers = [...lowers];
    this.#namespace = namespace;
  }

  /** A layer more that files may be copied up from. */
  add(layer: LayerDir): void {
    this.#layers.unshift(layer);
  }

  #uuid(layer: LayerDir): Buffer {
    let uuid = this.#uuids.get(layer);
    if (uuid === undefined) {
      const found = fileSystemUuid(layer.fd);
      uuid = typeof found === 'number' ? NO_UUID : found;
      this.#uuids.set(layer, uuid);
    }
    return uuid;
  }

  /** The origin of a lower file; undefined where its file system has no handles. */
  encode(dir: RealDir, name: ByteString): Buffer | undefined {
    const handle = nameToHandleAt(dir.fd(), name);
    if (typeof handle === 'number' || handle.type > 0xff) return undefined;
    const header = Buffer.alloc(HEADER);
    header[0] = VERSION;
    header[1] = MAGIC;
    header[2] = HEADER + handle.bytes.length;
    header[4] = handle.type;
    this.#uuid(dir.layer).copy(header, 5);
    return Buffer.concat([header, handle.bytes]);
  }

  /** The recorded origin in hex: the name of its index entry. */
  readHex(target: XattrTarget): ByteString | undefined {
    const value = getxattr(target, `${this.#namespace}origin`);
    return typeof value === 'number' ? undefined : value.toString('hex');
  }

  /** Fills `stat` with the lower file that `target` was copied up from; false where that cannot be told. */
  resolve(target: XattrTarget, stat: Stat): boolean {
    const value = getxattr(target, `${this.#namespace}origin`);
    if (typeof value === 'number' || value.length <= HEADER || value[0] !== VERSION || value[1] !== MAGIC) return false;
    const handle: FileHandle = { type: value[4] ?? 0, bytes: value.subarray(HEADER, value[2]) };
    const tried = new Set<number>();
    for (const layer of this.#layers) {
      if (tried.has(layer.dev) || !this.#uuid(layer).equals(value.subarray(5, HEADER))) continue;
      tried.add(layer.dev);
      const fd = openByHandleAt(layer.fd, handle, O_PATH);
      if (fd < 0) continue;
      const status = fstatx(fd, stat);
      close(fd);
      if (status >= 0) return true;
    }
    return false;
  }
}
