// One side of a change, as a patch speaks of it.

import { displayBytes } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import { close, must, read } from '../sys/index.js';
import type { Seen } from './compare.js';
import { factsOf } from './file-facts.js';
import type { FileFacts } from './file-facts.js';
import { openContent, placeOf, readLink, readXattrs } from './found-entry.js';

/** One side of a change: its facts, the attributes, and the text git would keep of it. */
export interface Side {
  readonly facts: FileFacts;
  /** Of a device: `major:minor`. */
  readonly device: string | undefined;
  readonly xattrs: ReadonlyMap<ByteString, Buffer>;
  /** Undefined for what git has nothing for. */
  readonly gitMode: string | undefined;
  /** Whether that says all of its permissions. */
  readonly hasGitMode: boolean;
  /** Undefined where `gitMode` is, and for content that is too large or no text. */
  readonly content: ByteString | undefined;
}

/** git knows two modes of files. */
function gitModeOf({ type, mode }: FileFacts): string | undefined {
  if (type === 'symlink') return '120000';
  if (type !== 'file') return undefined;
  return (mode & 0o100) === 0 ? '100644' : '100755';
}

export function describeSide(seen: Seen, maxFileSize: number): Side {
  const facts = factsOf(seen);
  const { stat, found } = seen;
  const isDevice = facts.type === 'char' || facts.type === 'block';
  return {
    facts,
    device: isDevice ? `${String(stat.rdevMajor)}:${String(stat.rdevMinor)}` : undefined,
    xattrs: readXattrs(placeOf(found)),
    gitMode: gitModeOf(facts),
    hasGitMode: facts.type === 'symlink' || facts.mode === 0o644 || facts.mode === 0o755,
    content: facts.type === 'symlink' ? readLink(placeOf(found)) : textOf(seen, maxFileSize),
  };
}

/** A file's content, if it is text: without NUL, as git decides. */
function textOf({ found, stat }: Seen, maxFileSize: number): ByteString | undefined {
  if (found.kind === 'directory' || !stat.isRegular || stat.size > maxFileSize) return undefined;
  if (stat.size === 0) return '';
  const fd = openContent(found);
  try {
    const bytes = Buffer.alloc(stat.size);
    let length = 0;
    while (length < bytes.length) {
      const got = must(read(fd, bytes.subarray(length)), 'read', displayBytes(found.name));
      if (got === 0) break;
      length += got;
    }
    const content = bytes.subarray(0, length);
    return content.includes(0) ? undefined : content.toString('latin1');
  } finally {
    close(fd);
  }
}
