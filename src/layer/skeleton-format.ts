// What a skeleton is made of: a layer's tar with references in the place of its files' content, so that its exact bytes can
// be given again without keeping the content twice. A gzip stream of a first line, which names the version, and frames:
//
//   end       0, u48 bytes of the whole tar
//   bytes     1, u32 length, that many bytes of the tar as they are
//   own       2, u48 size, u16 length, path: the content of that file in the layer's own directory
//   merged    3, as `own`: what the path has in the merged view of the layer and all below it
//   replaced  4, u16 length, path: what the path had before goes by the next number, from 0, in the directory beside the
//             skeleton; `own` frames up to here that name it mean that file
//
// Numbers are little-endian, paths without a leading slash.

import type { ByteString } from '../core/index.js';

export const FIRST_LINE = 'veneer-skeleton 1\n';

export const FRAME = { end: 0, bytes: 1, own: 2, merged: 3, replaced: 4 } as const;

/** A frame as read; `bytes`, which may be a part of those of a frame, are valid until the next one is read. */
export type Frame =
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  | { readonly kind: 'own' | 'merged'; readonly path: ByteString; readonly size: number }
  | { readonly kind: 'replaced'; readonly path: ByteString }
  | { readonly kind: 'end'; readonly total: number };
