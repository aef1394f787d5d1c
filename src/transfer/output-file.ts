// A file that is there whole or not at all.

import { randomBytes } from 'node:crypto';
import { closeSync, constants, fsyncSync, openSync, realpathSync, renameSync, statSync, unlinkSync } from 'node:fs';
import path from 'node:path';
import { hasCode, namingFullDisk, VeneerError } from '../core/index.js';
import { writeFully } from './write-fully.js';

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;

type Write = (chunk: Uint8Array) => Promise<void>;

/**
 * Writes a file under a name of its own beside the target, and renames it when `fill` has done its work. What is no regular
 * file (a pipe, /dev/null) is written in place. Throws `not-found` for a missing directory, `permission`, `invalid`.
 */
export async function writeOutputFile(target: string, fill: (write: Write) => Promise<void>): Promise<void> {
  try {
    const stat = statSync(target, { throwIfNoEntry: false });
    if (stat?.isDirectory() === true) throw new VeneerError('invalid', `cannot write '${target}': it is a directory`);
    if (stat === undefined || stat.isFile())
      await writeAndRename(stat === undefined ? target : realpathSync(target), fill);
    else await writeInPlace(target, fill);
  } catch (error) {
    throw explained(target, error);
  }
}

async function writeInPlace(target: string, fill: (write: Write) => Promise<void>): Promise<void> {
  const fd = openSync(target, O_WRONLY);
  try {
    await fill((chunk) => writeFully(fd, chunk));
  } finally {
    closeSync(fd);
  }
}

async function writeAndRename(target: string, fill: (write: Write) => Promise<void>): Promise<void> {
  const temporary = path.join(
    path.dirname(target),
    `.${path.basename(target).slice(0, 200)}.${randomBytes(6).toString('hex')}`,
  );
  const fd = openSync(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o666);
  let isRenamed = false;
  try {
    await fill((chunk) => writeFully(fd, chunk));
    fsyncSync(fd);
    renameSync(temporary, target);
    isRenamed = true;
  } finally {
    closeSync(fd);
    if (!isRenamed) unlinkSync(temporary);
  }
}

function explained(target: string, error: unknown): unknown {
  if (hasCode(error, 'ENOENT')) {
    const directory = path.dirname(target);
    return new VeneerError('not-found', `cannot write '${target}': there is no directory '${directory}'`, {
      cause: error,
    });
  }
  if (hasCode(error, 'EACCES') || hasCode(error, 'EPERM') || hasCode(error, 'EROFS')) {
    return new VeneerError('permission', `cannot write '${target}': permission denied`, { cause: error });
  }
  if (hasCode(error, 'ENOTDIR')) {
    return new VeneerError('invalid', `cannot write '${target}': part of the path is not a directory`, {
      cause: error,
    });
  }
  return namingFullDisk(error, path.dirname(target));
}
