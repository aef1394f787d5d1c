// Changes to files that several programs change: whole or not at all, and of two changes none is lost.

import { randomBytes } from 'node:crypto';
import {
  chownSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode, messageOf, VeneerError } from '../../core/index.js';
import { readSmallFile } from './small-file.js';

/** In milliseconds. A change takes a few; who has a lock for longer has died. */
const LOCK_AGE = 10_000;
const LOCK_POLL = 20;

/** The owner, and what tells one state of a file from another; undefined where there is none. */
function stateOf(file: string): { uid: number; gid: number; state: string } | undefined {
  const stat = statSync(file, { throwIfNoEntry: false, bigint: true });
  if (stat === undefined) return undefined;
  const { uid, gid, ino, size, mtimeNs } = stat;
  return { uid: Number(uid), gid: Number(gid), state: [ino, size, mtimeNs].join() };
}

/** Links are followed: who keeps a file elsewhere and links to it wants it kept there. */
function realPath(file: string): string {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  try {
    return realpathSync(file);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
    return path.join(realpathSync(path.dirname(file)), path.basename(file));
  }
}

async function takeLock(lock: string): Promise<void> {
  for (;;) {
    try {
      closeSync(openSync(lock, 'wx', 0o600));
      return;
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw error;
    }
    const since = statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    // A clock that was put back makes locks of the future.
    if (Math.abs(Date.now() - since) > LOCK_AGE) rmSync(lock, { force: true });
    else await sleep(LOCK_POLL);
  }
}

function writeDurably(file: string, text: string, owner: { uid: number; gid: number } | undefined): void {
  const fd = openSync(file, 'wx', 0o600);
  try {
    writeFileSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  // Root may change a user's file, which is to stay the user's.
  if (owner !== undefined && process.getuid?.() === 0) chownSync(file, owner.uid, owner.gid);
}

/** One attempt; false where another program, which knows nothing of the lock, was faster. */
function replace(file: string, change: (text: string | undefined) => string | undefined): boolean {
  const before = stateOf(file);
  const text = change(readSmallFile(file));
  if (text === undefined) return true;
  const partial = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    writeDurably(partial, text, before);
    if (stateOf(file)?.state !== before?.state) return false;
    renameSync(partial, file);
  } finally {
    rmSync(partial, { force: true });
  }
  const dir = openSync(path.dirname(file), 'r');
  fsyncSync(dir);
  closeSync(dir);
  return true;
}

/**
 * Changes a file that only its owner may read. `change` gets its text, undefined where there is no file, and returns the new one,
 * undefined to leave it as it is; it may be asked more than once. Throws what `change` throws, and `unavailable` for a file that cannot be
 * written.
 */
export async function changeFile(
  file: string,
  change: (text: string | undefined) => string | undefined,
): Promise<void> {
  try {
    const real = realPath(file);
    const lock = `${real}.lock`;
    await takeLock(lock);
    try {
      while (!replace(real, change));
    } finally {
      rmSync(lock, { force: true });
    }
  } catch (error) {
    if (error instanceof VeneerError) throw error;
    throw new VeneerError('unavailable', `cannot write '${file}': ${messageOf(error)}`, { cause: error });
  }
}
