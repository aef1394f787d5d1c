// The content of a directory tree, in bytes.

import { lstatSync, readdirSync } from 'node:fs';
import type { Dirent } from 'node:fs';
import { hasCode } from '../core/index.js';

/**
 * Of all files, each once however many names it has. A file that stands for the attributes of another one only takes no blocks and does
 * not count. What goes while it is read does not count either; 0 for a directory that is not there.
 */
export function treeSize(path: string): number {
  const seen = new Set<bigint>();
  const walk = (directory: Buffer): number => {
    let total = 0;
    for (const entry of entriesOf(directory)) {
      const below = Buffer.concat([directory, SLASH, entry.name]);
      if (entry.isDirectory()) total += walk(below);
      else if (entry.isFile()) total += fileSize(below, seen);
    }
    return total;
  };
  return walk(Buffer.from(path));
}

const SLASH = Buffer.from('/');

function entriesOf(directory: Buffer): Dirent<Buffer>[] {
  try {
    return readdirSync(directory, { encoding: 'buffer', withFileTypes: true });
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'EACCES')) return [];
    throw error;
  }
}

function fileSize(path: Buffer, seen: Set<bigint>): number {
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (stat === undefined || stat.blocks === 0n || seen.has(stat.ino)) return 0;
  if (stat.nlink > 1n) seen.add(stat.ino);
  return Number(stat.size);
}
