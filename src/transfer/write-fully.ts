import { write } from 'node:fs';
import { promisify } from 'node:util';

const writeAsync = promisify(write);

/** Writes a whole chunk where the file is, off the main thread. */
export async function writeFully(fd: number, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.length;) {
    at += (await writeAsync(fd, chunk, at, chunk.length - at, null)).bytesWritten;
  }
}
