// An OCI image layout in a directory, read in place. Others may have made it: no symlink in it is followed.

import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { hasCode, VeneerError } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import { INDEX_FILE, LAYOUT_FILE } from '../image/index.js';
import { streamPart } from './archive.js';
import type { Archive, ArchiveFile } from './archive.js';

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = constants;
const DIRECTORY = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
const FILE = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;

/** The files a layout has: its marker, its index, and blobs, whose names are digests. */
const NAME = new RegExp(`^(?:${LAYOUT_FILE}|${INDEX_FILE.replace('.', '\\.')}|blobs/sha256/[0-9a-f]{64})$`);

export class LayoutDirectory implements Archive {
  readonly name: string;
  readonly #root: number;
  readonly #open: number[];

  /** Throws what `open` throws: ENOENT, ENOTDIR, EACCES. */
  constructor(path: string, name: string) {
    this.name = name;
    this.#root = openSync(path, O_RDONLY | O_DIRECTORY);
    this.#open = [this.#root];
  }

  file(path: ByteString): ArchiveFile | undefined {
    if (!NAME.test(path)) return undefined;
    const fd = this.#walk(path);
    if (fd === undefined) return undefined;
    this.#open.push(fd);
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new VeneerError('integrity', `'${path}' in ${this.name} is not a regular file`);
    return { size: stat.size, stream: () => streamPart(fd, 0, stat.size) };
  }

  /** Opens a file, one name at a time. */
  #walk(path: ByteString): number | undefined {
    const names = path.split('/');
    let dirfd = this.#root;
    for (const [index, name] of names.entries()) {
      const isLast = index === names.length - 1;
      let fd: number;
      try {
        fd = openSync(`/proc/self/fd/${String(dirfd)}/${name}`, isLast ? FILE : DIRECTORY);
      } catch (error) {
        if (hasCode(error, 'ENOENT')) return undefined;
        if (hasCode(error, 'ELOOP') || hasCode(error, 'ENOTDIR')) {
          throw new VeneerError('integrity', `'${path}' in ${this.name} leads through a symlink or a file`, {
            cause: error,
            hint: 'a layout has plain directories and files; copy it with cp -rL if its links can be trusted',
          });
        }
        throw error;
      } finally {
        if (dirfd !== this.#root) closeSync(dirfd);
      }
      dirfd = fd;
    }
    return dirfd;
  }

  [Symbol.dispose](): void {
    for (const fd of this.#open) closeSync(fd);
  }
}
