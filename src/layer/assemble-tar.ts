// Gives the exact bytes of a layer's tar back, from its skeleton and the directories that have the content.

import { displayBytes, errno, VeneerError } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import { toDiffId } from '../image/index.js';
import type { DiffId } from '../image/index.js';
import { close, DigesterAside, must, pread, preadAside } from '../sys/index.js';
import { damagedLayer, LayerContent } from './layer-content.js';
import { SkeletonReader } from './skeleton-reader.js';

export interface AssembleTarOptions {
  /** The files that `applyLayer` or `writeLayer` has recorded; `replaced` need not exist. */
  readonly skeleton: string;
  readonly replaced: string;
  /** The layer's directory, then those below it: content of metadata-only copies and of renamed directories is there. */
  readonly directories: readonly string[];
  /** Of the tar. */
  readonly diffId: DiffId;
  /** Aborted: instead of the next chunk its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
}

const CHUNK_SIZE = 1 << 20;
/** What is longer is read by another thread. */
const MAX_READ_HERE = 256 * 1024;

/**
 * The layer's tar, byte for byte, in chunks that stay as they are. The last one comes only if all of them have the digest.
 *
 * Errors: `integrity` for a file that is gone or has another size, for a damaged skeleton and, at the end, for another
 * digest; `unsupported` for a skeleton of a later version; SysError for what cannot be read.
 */
export async function* assembleTar(options: AssembleTarOptions): AsyncGenerator<Buffer, void> {
  const { diffId, signal } = options;
  signal?.throwIfAborted();
  using content = await LayerContent.open(options);
  using reader = new SkeletonReader(options.skeleton);
  using digester = new DigesterAside();
  let chunk = Buffer.allocUnsafeSlow(CHUNK_SIZE);
  let used = 0;
  const next = async (): Promise<Buffer> => {
    await digester.ready();
    signal?.throwIfAborted();
    const full = chunk;
    digester.update(full);
    chunk = Buffer.allocUnsafeSlow(CHUNK_SIZE);
    used = 0;
    return full;
  };
  for (;;) {
    const coming = reader.next();
    const frame = coming instanceof Promise ? await coming : coming;
    switch (frame.kind) {
      case 'bytes':
        for (let done = 0; done < frame.bytes.length;) {
          if (used === CHUNK_SIZE) yield await next();
          const copied = frame.bytes.copy(chunk, used, done);
          used += copied;
          done += copied;
        }
        break;
      case 'own':
      case 'merged': {
        const { path, size } = frame;
        const fd = content.take(frame.kind, path);
        try {
          for (let at = 0; at < size;) {
            if (used === CHUNK_SIZE) yield await next();
            const space = chunk.subarray(used, used + size - at);
            const reading = space.length > MAX_READ_HERE ? preadAside(fd, space, at) : pread(fd, space, at);
            const got = mustRead(typeof reading === 'number' ? reading : await reading, path);
            if (got === 0) throw damagedLayer(path, 'is shorter than it was');
            used += got;
            at += got;
          }
          if (mustRead(pread(fd, BEYOND, size), path) > 0) throw damagedLayer(path, 'has grown');
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
        const complete = digester.size === frame.total && toDiffId(await digester.digest()) === diffId;
        if (!complete) throw otherContent(diffId);
        signal?.throwIfAborted();
        if (used > 0) yield last;
        return;
      }
    }
  }
}

const BEYOND = Buffer.alloc(1);

function mustRead(got: number, path: ByteString): number {
  if (got === -errno.EISDIR) throw damagedLayer(path, 'is a directory now');
  return must(got, 'read', displayBytes(path));
}

function otherContent(diffId: DiffId): VeneerError {
  return new VeneerError('integrity', `the content of the layer ${diffId} is not what it was`, {
    hint: "the layer's directory in the store has been changed: get or build the image again",
  });
}
