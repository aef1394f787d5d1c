import { errno } from '../core/index.js';
import { addressOf, bindAside, must } from './libc.js';

const nativeWriteAside = bindAside('intptr_t write(int, uintptr_t, size_t)');
const nativePollAside = bindAside('int poll(void *, unsigned long, int)');

const POLLOUT = 4;

/**
 * Writes all bytes to an fd, which may be a pipe, a terminal or a file, waiting by another thread where it takes no more: the event
 * loop goes on. The bytes must be left alone until then.
 */
export async function writeAllAside(fd: number, bytes: Uint8Array): Promise<void> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (buffer.length === 0) return;
  const address = addressOf(buffer);
  for (let at = 0; at < buffer.length;) {
    const written = await nativeWriteAside(fd, address + BigInt(at), buffer.length - at);
    if (written === -errno.EINTR) continue;
    // Whoever shares the open file made it so.
    if (written === -errno.EAGAIN) await writable(fd);
    else at += must(written, 'write');
  }
}

async function writable(fd: number): Promise<void> {
  const polled = Buffer.alloc(8);
  polled.writeInt32LE(fd, 0);
  polled.writeInt16LE(POLLOUT, 4);
  await nativePollAside(polled, 1, -1);
}
