import { VeneerError } from '../core/index.js';

/** More than any token has. */
const MAX_BYTES = 65_536;

/** A password: all of standard input, without the line's end after it. */
export async function readPassword(): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > MAX_BYTES)
      throw new VeneerError('limit', 'standard input holds more than 64 KiB: that is no password');
  }
  const password = Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '');
  if (password === '') throw new VeneerError('usage', '--password-stdin: standard input is empty');
  return password;
}
