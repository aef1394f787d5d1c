import { writeAllAside } from '../sys/index.js';
import type { Sink } from './attachment.js';

/** Writes to an fd of ours: a reader that is slow slows down who is read, and nothing else. Rejects with EPIPE where there is none. */
export function fdSink(fd: number): Sink {
  return (bytes) => writeAllAside(fd, bytes);
}
