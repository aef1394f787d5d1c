// Gives the exact bytes of a layer's tar back, from its skeleton and the directories that have the content.

import { existsSync } from 'node:fs';
import { Digester, displayBytes, errno, SysError, VeneerError } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import { toDiffId } from '../image/index.js';
import type { DiffId } from '../image/index.js';
import { close, must, read } from '../sys/index.js';
import { ContentFiles } from './content-files.js';
import { openContent } from './found-entry.js';
import { LowerView } from './lower-view.js';
import { readSkeleton } from './skeleton-reader.js';

export interface AssembleTarOptions {
  /** The files that `applyLayer` or `writeLayer` has recorded; `replaced` need not exist. */
  readonly skeleton: string;
  readonly replaced: string;
  /** The layer's directory, then those below it: content of metadata-only copies and of renamed directories is there. */
  readonly directories: readonly string[];
  /** Of the tar. */
  readonly diffId: DiffId;
  /** Aborted: the next chunk is its reason, thrown. */
  readonly signal?: AbortSignal | undefined;
}

const CHUNK_SIZE = 1 << 20;

/**
 * The layer's tar, byte for byte, in chunks that are the caller's own. The last one comes only if all of them have the digest.
 *
 * Errors: `integrity` for a file that is gone or has another size, for a damaged skeleton and, at the end, for another
 * digest; `unsupported` for a skeleton of a later version; SysError for what cannot be read.
 */
export async function* assembleTar(options: AssembleTarOptions): AsyncGenerator<Buffer, void> {
  const { skeleton, replaced, diffId, signal } = options;
  using content = new Content(options.directories, replaced, await findReplaced(skeleton, replaced));
  const digester = new Digester();
  let chunk = Buffer.allocUnsafeSlow(CHUNK_SIZE);
  let used = 0;
  const full = (): Buffer => {
    signal?.throwIfAborted();
    const complete = chunk;
    digester.update(complete);
    chunk = Buffer.allocUnsafeSlow(CHUNK_SIZE);
    used = 0;
    return complete;
  };
  signal?.throwIfAborted();
  for await (const frame of readSkeleton(skeleton)) {
    switch (frame.kind) {
      case 'bytes':
        for (let done = 0; done < frame.bytes.length;) {
          if (used === CHUNK_SIZE) yield full();
          const copied = frame.bytes.copy(chunk, used, done);
          used += copied;
          done += copied;
        }
        break;
      case 'own':
      case 'merged': {
        const fd = content.open(frame.kind, frame.path);
        try {
          for (let left = frame.size; left > 0;) {
            if (used === CHUNK_SIZE) yield full();
            const got = readFrom(fd, chunk.subarray(used, used + left), frame.path);
            if (got === 0) throw damaged(frame.path, 'is shorter than it was');
            used += got;
            left -= got;
          }
          if (readFrom(fd, ONE, frame.path) > 0) throw damaged(frame.path, 'has grown');
        } finally {
          close(fd);
        }
        break;
      }
      case 'replaced':
        break;
      case 'end': {
        const last = chunk.subarray(0, used);
        digester.update(last);
        if (digester.size !== frame.total || toDiffId(digester.digest()) !== diffId) {
          throw new VeneerError('integrity', `the content of the layer ${diffId} is not what it was`, { hint: HINT });
        }
        if (used > 0) yield last;
      }
    }
  }
}

const ONE = Buffer.alloc(1);
const HINT = "the layer's directory in the store has been changed: get or build the image again";

function damaged(path: ByteString, how: string): VeneerError {
  return new VeneerError('integrity', `'${displayBytes(path)}' of a layer ${how}`, { hint: HINT });
}

function readFrom(fd: number, into: Buffer, path: ByteString): number {
  const got = read(fd, into);
  if (got === -errno.EISDIR) throw damaged(path, 'is a directory now');
  return must(got, 'read', displayBytes(path));
}

/** A later replacement of content: it counts for references before it. */
interface Replacement {
  readonly before: number;
  readonly number: number;
}

/** What was replaced, by path, in order. Few archives have any. */
async function findReplaced(skeleton: string, directory: string): Promise<Map<ByteString, Replacement[]>> {
  const found = new Map<ByteString, Replacement[]>();
  if (!existsSync(directory)) return found;
  let [references, number] = [0, 0];
  for await (const frame of readSkeleton(skeleton)) {
    if (frame.kind === 'own' || frame.kind === 'merged') references += 1;
    if (frame.kind !== 'replaced') continue;
    const ofPath = found.get(frame.path);
    const replacement = { before: references, number };
    if (ofPath === undefined) found.set(frame.path, [replacement]);
    else ofPath.push(replacement);
    number += 1;
  }
  return found;
}

/** The way from references to files. */
class Content {
  readonly #directories: readonly string[];
  readonly #replacedPath: string;
  readonly #replaced: Map<ByteString, Replacement[]>;
  #references = 0;
  #own: ContentFiles | undefined;
  #merged: LowerView | undefined;

  constructor(directories: readonly string[], replacedPath: string, replaced: Map<ByteString, Replacement[]>) {
    this.#directories = directories;
    this.#replacedPath = replacedPath;
    this.#replaced = replaced;
  }

  /** An fd of the content that the next reference means; the caller closes it. */
  open(where: 'own' | 'merged', path: ByteString): number {
    const fd = where === 'own' ? this.#openOwn(path) : this.#openMerged(path);
    this.#references += 1;
    if (fd >= 0) return fd;
    if (fd === -errno.ENOENT || fd === -errno.ENOTDIR || fd === -errno.ELOOP) throw damaged(path, 'is gone');
    throw new SysError(-fd, 'open', displayBytes(path));
  }

  #openOwn(path: ByteString): number {
    const ofPath = this.#replaced.size === 0 ? undefined : this.#replaced.get(path);
    // Those of earlier references are of no use any more.
    while (ofPath !== undefined && (ofPath[0]?.before ?? Infinity) <= this.#references) ofPath.shift();
    const replacement = ofPath?.[0];
    if (replacement !== undefined) {
      using files = new ContentFiles(this.#replacedPath);
      return files.open(String(replacement.number));
    }
    return (this.#own ??= new ContentFiles(this.#directories[0] ?? '')).open(path);
  }

  #openMerged(path: ByteString): number {
    const found = (this.#merged ??= new LowerView(this.#directories)).find(path);
    return found?.kind === 'other' ? openContent(found) : -errno.ENOENT;
  }

  [Symbol.dispose](): void {
    this.#own?.[Symbol.dispose]();
    this.#merged?.[Symbol.dispose]();
  }
}
