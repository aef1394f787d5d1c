// Servers that die: waiting for their end, clearing away what they leave mounted, looking at what they left on disk.

import { closeSync, lstatSync, openSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MNT_DETACH, umount2 } from '../../src/sys/index.js';
import { mountStaged } from './backends.js';
import type { BackendKind, Staged } from './backends.js';
import { getdents } from './native.js';
import { expectSameTree, snapshot, treeDifferences, withoutTimes } from './tree.js';
import type { Tree } from './tree.js';
import { withDeadline } from './tmp.js';

/** Whether a process runs. A zombie of a detached process belongs to init; its state is Z until reaped. */
export function alive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${String(pid)}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** Waits for the end of a server that was killed, and takes its dead mount away. */
export async function buryServer(pid: number, mountpoint: string): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (alive(pid)) {
    if (Date.now() > deadline) throw new Error(`server ${String(pid)} does not die`);
    await sleep(5);
  }
  umount2(mountpoint, MNT_DETACH);
}

/** Kills the server of a mount and takes its dead mount away. */
export async function killServer(mounted: { readonly pid?: number; readonly root: string }): Promise<void> {
  process.kill(mounted.pid!, 'SIGKILL');
  await buryServer(mounted.pid!, mounted.root);
}

/** Names in the work directory that a server has left: what it was making. The kernel keeps directories of its own. */
export function leftInWork(staged: Staged): string[] {
  return readdirSync(path.join(staged.work, 'work'), { encoding: 'latin1' });
}

/** Times of directories follow from when their entries are copied up, which is no change to users. */
export const withoutDirectoryTimes = (tree: Tree): Tree => withoutTimes(tree, ['dir']);

/** A mounted tree, as two trees that were changed at different times are compared. */
export const treeSince = (root: string, newSince: number): Tree =>
  withoutDirectoryTimes(withDeadline(`snapshot of ${root}`, 30_000, () => snapshot(root, { newSince })));

/** Throws unless a tree is one of the allowed ones; shows the differences from the nearest. */
export function expectOneOf(allowed: readonly Tree[], actual: Tree): void {
  const byDistance = allowed
    .map((tree) => ({ tree, distance: treeDifferences(tree, actual).length }))
    .sort((a, b) => a.distance - b.distance);
  expectSameTree(byDistance[0]!.tree, actual);
}

/** What a file system shows of staged layers. */
export async function shownBy(kind: Exclude<BackendKind, 'plain'>, staged: Staged, newSince: number): Promise<Tree> {
  const mounted = await mountStaged(kind, staged);
  try {
    return treeSince(mounted.root, newSince);
  } finally {
    await mounted.unmount();
  }
}

/** Entries of a mounted directory, and of all below, whose number in the listing is not the one that stat tells. */
export function strayNumbers(dir: string): string[] {
  const stray: string[] = [];
  const fd = openSync(dir, 'r');
  for (let entries = getdents(fd); typeof entries !== 'number' && entries.length > 0; entries = getdents(fd)) {
    for (const { name, ino } of entries) {
      if (name === '.' || name === '..') continue;
      const stat = lstatSync(path.join(dir, name), { bigint: true });
      if (stat.ino !== ino) stray.push(path.join(dir, name));
      if (stat.isDirectory()) stray.push(...strayNumbers(path.join(dir, name)));
    }
  }
  closeSync(fd);
  return stray;
}
