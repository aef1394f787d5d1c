// Directory trees for the tests of the layer room: made, and seen as data.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { applyLayer } from '../../../src/layer/index.js';
import type { AppliedLayer, LayerLimits } from '../../../src/layer/index.js';
import {
  AT_FDCWD,
  close,
  entryPath,
  getxattr,
  listDirectory,
  listxattr,
  must,
  openat,
  readlinkat,
  Stat,
  statx,
} from '../../../src/sys/index.js';
import { O_RDONLY } from '../../../src/sys/index.js';
import { readFileSync } from 'node:fs';
import { source } from './support.js';

/** A directory that goes when the test ends. */
export function temporary(): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'veneer-layer-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export interface Unpacking {
  readonly lower?: readonly string[];
  readonly limits?: Partial<LayerLimits>;
  readonly target?: string;
  readonly unterminated?: boolean;
}

/** Unpacks an archive into a new directory, and tells where. */
export async function apply(
  archive: Buffer | readonly Buffer[],
  options: Unpacking = {},
): Promise<AppliedLayer & { target: string }> {
  const target = options.target ?? temporary();
  const { target: _, ...others } = options;
  return { ...(await applyLayer({ source: source(archive), target, ...others })), target };
}

const TYPES: Record<number, string> = { 1: 'fifo', 2: 'char', 4: 'dir', 6: 'block', 8: 'file', 10: 'symlink' };

export interface Seen {
  readonly type: string;
  readonly mode: string;
  readonly owner: string;
  readonly mtime: string;
  readonly size?: number;
  readonly content?: string;
  readonly target?: string;
  readonly device?: string;
  readonly xattrs?: Record<string, string>;
  /** The first path of the same file, in the order of paths. */
  readonly sameAs?: string;
}

/** Everything below a directory, and itself as '.', by path. */
export function look(directory: string): Record<string, Seen> {
  const seen: Record<string, Seen> = {};
  const inodes = new Map<bigint, string>();
  const visit = (dirfd: number, name: string, shown: string) => {
    const stat = new Stat();
    must(statx(dirfd, name, stat), 'statx', shown);
    const file = entryPath(dirfd, name);
    const names = listxattr(file) as string[];
    const type = TYPES[stat.type >> 12] ?? String(stat.type);
    const first = inodes.get(stat.ino);
    inodes.set(stat.ino, first ?? shown);
    seen[shown] = {
      type,
      mode: (stat.mode & 0o7777).toString(8),
      owner: `${String(stat.uid)}:${String(stat.gid)}`,
      mtime: `${String(stat.mtimeSec)}.${String(stat.mtimeNsec).padStart(9, '0')}`,
      ...(type === 'file' ? { size: stat.size, content: readFileSync(Buffer.from(file, 'latin1'), 'latin1') } : {}),
      ...(type === 'symlink' ? { target: readlinkat(dirfd, name) as string } : {}),
      ...(type === 'char' || type === 'block' ? { device: `${String(stat.rdevMajor)}:${String(stat.rdevMinor)}` } : {}),
      ...(names.length === 0
        ? {}
        : {
            xattrs: Object.fromEntries(
              names.sort().map((each) => [each, (getxattr(file, each) as Buffer).toString('latin1')]),
            ),
          }),
      ...(first === undefined ? {} : { sameAs: first }),
    };
    if (type !== 'dir') return;
    const fd = must(openat(dirfd, name, O_RDONLY), 'open', shown);
    const children = listDirectory(fd) as { name: string }[];
    for (const child of children.map((each) => each.name).sort())
      visit(fd, child, shown === '.' ? child : `${shown}/${child}`);
    close(fd);
  };
  const root = must(openat(AT_FDCWD, directory, O_RDONLY), 'open', directory);
  visit(root, '.', '.');
  close(root);
  return seen;
}

/** Only types: the shape of a tree at a glance. */
export function shape(directory: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(look(directory))
      .slice(1)
      .map(([name, { type, device, xattrs }]) => {
        const whiteout = device === '0:0';
        const opaque = xattrs?.['trusted.overlay.opaque'] === 'y';
        return [name, whiteout ? 'gone' : opaque ? 'opaque' : type];
      }),
  );
}
