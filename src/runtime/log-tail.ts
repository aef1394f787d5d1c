import type { FileHandle } from 'node:fs/promises';
import { endsLine } from './log-record.js';

const CHUNK = 1 << 16;
/** More than what stands before the content of a record. */
const HEAD = 64;
const NEWLINE = 0x0a;

/** Where in a log the last lines begin: found from its end, so that it takes as long for a large log as for a small one. */
export async function tailStart(log: FileHandle, lines: number): Promise<number> {
  const { size } = await log.stat();
  if (lines === 0) return size;
  const buffer = Buffer.alloc(CHUNK + HEAD);
  let found = 0;
  let isLast = true;
  let next = size;
  for (let end = size; end > 0; end -= CHUNK) {
    const begin = Math.max(0, end - CHUNK);
    const { bytesRead } = await log.read(buffer, 0, Math.min(size, end + HEAD) - begin, begin);
    const text = buffer.subarray(0, bytesRead);
    // A record begins behind the newline of the one before; the first one at the beginning of the file.
    for (let at = end - begin - 1; at >= (begin === 0 ? -1 : 0); at -= 1) {
      if (at >= 0 && text[at] !== NEWLINE) continue;
      const start = begin + at + 1;
      if (start === size) continue;
      const isEnd = endsLine(text, at + 1);
      // The last one may be a line that is not at its end.
      if (isEnd === true || isLast) found += 1;
      isLast = false;
      if (found > lines) return next;
      next = start;
    }
  }
  return 0;
}
