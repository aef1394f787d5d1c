// An image archive in a plain tar file, read in place by offset.

import { closeSync, fstatSync } from 'node:fs';
import { posix } from 'node:path';
import { displayBytes, VeneerError } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import { indexTar } from '../layer/index.js';
import type { IndexedEntry } from '../layer/index.js';
import { streamPart } from './archive.js';
import type { Archive, ArchiveFile } from './archive.js';

/** An archive of images has four files for each layer, at most. */
const MAX_ENTRIES = 200_000;
/** As many as the kernel follows in one path. */
const MAX_LINKS = 40;

/** One spelling for each path; `..` stays at the front where it leaves the archive. */
function normalize(path: ByteString): ByteString {
  return posix.normalize(path).replace(/^\/+|\/+$/g, '');
}

export class TarArchive implements Archive {
  readonly name: string;
  readonly #fd: number;
  readonly #entries: ReadonlyMap<ByteString, IndexedEntry>;

  private constructor(name: string, fd: number, entries: readonly IndexedEntry[]) {
    this.name = name;
    this.#fd = fd;
    // What has a name twice is what came last, as if it had been unpacked.
    this.#entries = new Map(entries.map((found) => [normalize(found.entry.path), found]));
  }

  /** Takes the open file over, also when it fails. Throws `integrity` for what is no tar, `limit`. */
  static async open(fd: number, name: string): Promise<TarArchive> {
    try {
      const entries = await indexTar(fd, { size: fstatSync(fd).size, limits: { maxEntries: MAX_ENTRIES } });
      return new TarArchive(name, fd, entries);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  /** Links are followed, inside the archive only: `docker save` wrote a layer it had written already as a link. */
  file(path: ByteString): ArchiveFile | undefined {
    let at = normalize(path);
    for (let followed = 0; followed <= MAX_LINKS; followed += 1) {
      if (/^\.\.(?:\/|$)/.test(at)) throw broken(path, 'it leads out of the archive');
      const found = this.#entries.get(at);
      if (found === undefined) return undefined;
      const { entry, offset } = found;
      if (entry.type === 'file') {
        return { size: entry.size, stream: () => streamPart(this.#fd, offset, entry.size) };
      }
      if (entry.type === 'hardlink') at = normalize(entry.linkTarget);
      else if (entry.type === 'symlink') at = linkedPath(at, entry.linkTarget);
      else throw broken(path, `it is a ${entry.type}, not a file`);
    }
    throw broken(path, 'its links go round in a circle');
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}

/** The archive's root is the root of what was packed: absolute targets start there. */
function linkedPath(link: ByteString, target: ByteString): ByteString {
  return normalize(target.startsWith('/') ? target : posix.join(posix.dirname(link), target));
}

function broken(path: ByteString, why: string): VeneerError {
  return new VeneerError('integrity', `'${displayBytes(path)}' in the archive: ${why}`);
}
