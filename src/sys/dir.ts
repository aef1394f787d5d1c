// getdents64(2): directory entries with their types and inode numbers, names as bytes.

import type { ByteString } from '../core/index.js';
import { SEEK_SET } from './constants.js';
import { lseek } from './file.js';
import { bind, result } from './libc.js';

const nativeGetdents = bind('intptr_t getdents64(int, void *, size_t)');

const BUFFER_SIZE = 128 * 1024;
const buffer = Buffer.alloc(BUFFER_SIZE);

/** Takes one entry; `ino` comes as two 32-bit halves. Returning false ends the listing. */
export type DirentVisitor = (
  name: ByteString,
  type: number,
  inoLow: number,
  inoHigh: number,
) => boolean | undefined | void;

/**
 * Visits all entries of an open directory from its start, but for `.` and `..`. Returns 0 or -errno.
 * Not re-entrant: the visitor may not list another directory.
 */
export function visitDirectory(fd: number, visit: DirentVisitor): number {
  const rewound = lseek(fd, 0, SEEK_SET);
  if (rewound < 0) return rewound;
  for (;;) {
    const length = result(nativeGetdents(fd, buffer, BUFFER_SIZE));
    if (length <= 0) return length;
    // struct linux_dirent64 { u64 d_ino; s64 d_off; u16 d_reclen; u8 d_type; char d_name[]; }
    for (let at = 0; at < length;) {
      const recordLength = buffer.readUInt16LE(at + 16);
      const start = at + 19;
      const name = buffer.toString('latin1', start, buffer.indexOf(0, start));
      if (name !== '.' && name !== '..') {
        const more = visit(name, buffer[at + 18] ?? 0, buffer.readUInt32LE(at), buffer.readUInt32LE(at + 4));
        if (more === false) return 0;
      }
      at += recordLength;
    }
  }
}

export interface DirectoryEntry {
  readonly name: ByteString;
  /** DT_*; DT_UNKNOWN on file systems that do not tell. */
  readonly type: number;
}

/** All entries but `.` and `..`, in the file system's order, or -errno. */
export function listDirectory(fd: number): DirectoryEntry[] | number {
  const entries: DirectoryEntry[] = [];
  const status = visitDirectory(fd, (name, type) => {
    entries.push({ name, type });
  });
  return status < 0 ? status : entries;
}
