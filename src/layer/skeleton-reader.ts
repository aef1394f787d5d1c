// Reads a skeleton back, frame by frame.

import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { messageOf, VeneerError } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import { ByteReader } from './byte-reader.js';
import { FIRST_LINE, FRAME, MAX_BYTES_FRAME } from './skeleton-format.js';
import type { Frame } from './skeleton-format.js';

function damaged(why: string, cause?: unknown): VeneerError {
  return new VeneerError('integrity', `the skeleton of a layer is damaged: ${why}`, { cause });
}

/** Reads frames; `end` is the last one. Throws `integrity` for anything else, `unsupported` for a later version. */
export async function* readSkeleton(path: string): AsyncGenerator<Frame, void> {
  const gunzip = createGunzip({ chunkSize: 256 * 1024 });
  pipeline(createReadStream(path, { highWaterMark: 128 * 1024 }), gunzip, () => undefined);
  const reader = new ByteReader(gunzip);
  try {
    const first = (await take(reader, FIRST_LINE.length)).toString('latin1');
    if (first !== FIRST_LINE) throw new VeneerError('unsupported', 'the skeleton of a layer is of another version');
    for (;;) {
      const frame = await readFrame(reader);
      if (frame.kind !== 'bytes') {
        yield frame;
        if (frame.kind === 'end') return;
        continue;
      }
      // In the pieces that the decompressor makes.
      for (let left = frame.length; left > 0;) {
        if (reader.buffered === 0 && !(await reader.require(1))) throw damaged('it has been cut off');
        const bytes = reader.take(left);
        left -= bytes.length;
        yield { kind: 'bytes', bytes };
      }
    }
  } catch (error) {
    // The codes of zlib and of the file system.
    if (error instanceof VeneerError || !(error instanceof Error) || !('code' in error)) throw error;
    throw damaged(messageOf(error), error);
  } finally {
    gunzip.destroy();
  }
}

type Head = Exclude<Frame, { kind: 'bytes' }> | { readonly kind: 'bytes'; readonly length: number };

async function readFrame(reader: ByteReader): Promise<Head> {
  const kind = (await take(reader, 1))[0];
  switch (kind) {
    case FRAME.end:
      return { kind: 'end', total: (await take(reader, 6)).readUIntLE(0, 6) };
    case FRAME.bytes: {
      const length = (await take(reader, 4)).readUInt32LE(0);
      if (length > MAX_BYTES_FRAME) throw damaged('a frame is too long');
      return { kind: 'bytes', length };
    }
    case FRAME.own:
    case FRAME.merged: {
      const size = (await take(reader, 6)).readUIntLE(0, 6);
      return { kind: kind === FRAME.own ? 'own' : 'merged', size, path: await readPath(reader) };
    }
    case FRAME.replaced:
      return { kind: 'replaced', path: await readPath(reader) };
    default:
      throw damaged(`there is no frame ${String(kind)}`);
  }
}

async function readPath(reader: ByteReader): Promise<ByteString> {
  const length = (await take(reader, 2)).readUInt16LE(0);
  return (await take(reader, length)).toString('latin1');
}

async function take(reader: ByteReader, length: number): Promise<Buffer> {
  if (reader.buffered < length && !(await reader.require(length))) throw damaged('it has been cut off');
  return reader.take(length);
}
