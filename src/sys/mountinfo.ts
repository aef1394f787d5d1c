// The mount table of this process's mount namespace: /proc/self/mountinfo (proc_pid_mountinfo(5)).

import { readFileSync } from 'node:fs';
import type { ByteString } from '../core/index.js';

export interface MountEntry {
  /** Of the superblock, `major:minor`: the same in all mount namespaces. */
  readonly device: ByteString;
  /** Absolute, in this namespace. */
  readonly mountpoint: ByteString;
  /** The directory of the file system that is mounted there: `/` but for bind mounts. */
  readonly root: ByteString;
  /** `fuse.veneer`, `overlay`, `ext4`. */
  readonly type: ByteString;
  readonly source: ByteString;
  /** Whether mounts below it are passed on, and got from elsewhere. */
  readonly isShared: boolean;
  readonly isSlave: boolean;
  /** Of the superblock, comma-separated. */
  readonly options: ByteString;
}

/** Blank, tab, newline and backslash come as three octal digits (mangle_path, fs/seq_file.c). */
function unescape(field: string): ByteString {
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}

/** Parses the text of a mountinfo file. Lines of another shape are passed over. */
export function parseMountInfo(text: ByteString): MountEntry[] {
  const entries: MountEntry[] = [];
  for (const line of text.split('\n')) {
    const [before = '', after = ''] = line.split(' - ', 2);
    const [, , device = '', root = '', mountpoint, , ...peers] = before.split(' ');
    const [type, source = '', options = ''] = after.split(' ');
    if (mountpoint === undefined || type === undefined || type === '') continue;
    entries.push({
      device,
      mountpoint: unescape(mountpoint),
      root: unescape(root),
      type: unescape(type),
      source: unescape(source),
      isShared: peers.some((peer) => peer.startsWith('shared:')),
      isSlave: peers.some((peer) => peer.startsWith('master:')),
      options: unescape(options),
    });
  }
  return entries;
}

/** All mounts, in the order of mounting. */
export function mountEntries(): MountEntry[] {
  return parseMountInfo(readFileSync('/proc/self/mountinfo', 'latin1'));
}
