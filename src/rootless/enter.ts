// The way into the user's namespaces: this process becomes `nsenter`, and that the same command again, as root of them. So it
// keeps its process id, its terminal and its standard streams, and its exit code is the command's.

import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { VeneerError, toByteString } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import { LOCK_EX, execv, flock, keepOnExec, must, retryIntr } from '../sys/index.js';
import { findKeeper, joinArguments, makeKeeper } from './keeper.js';
import type { IdRanges } from './keeper.js';
import { userRuntimeDirectory } from './runtime-directory.js';
import { subordinateRanges } from './subordinate-ids.js';

/** Tells the command which directory it was started in: joining a mount namespace ends in its root. */
const DIRECTORY = 'VENEER_ENTERED_FROM';

/** What is missing for the user to have namespaces of his own; undefined where nothing is. */
export function namespaceObstacle(): VeneerError | undefined {
  const ranges = idRanges();
  return ranges instanceof VeneerError ? ranges : undefined;
}

/** Throws `permission` or `unavailable` for plain users: what they lack, or, for programs other than veneer, where they are to run. */
export function requireNamespace(): void {
  if (process.geteuid?.() === 0) return;
  const missing = namespaceObstacle();
  if (missing !== undefined) throw missing;
  throw new VeneerError('permission', "a plain user's containers run in a user namespace of his", {
    hint: "'veneer unshare PROGRAM' runs a program there",
  });
}

function idRanges(): IdRanges | VeneerError {
  const uid = process.getuid?.() ?? 0;
  const name = userName();
  const uids = subordinateRanges(readIfThere('/etc/subuid'), { name, uid });
  const gids = subordinateRanges(readIfThere('/etc/subgid'), { name, uid });
  const who = name ?? String(uid);
  if (uids.length === 0 || gids.length === 0) {
    const file = uids.length === 0 ? '/etc/subuid' : '/etc/subgid';
    return new VeneerError('permission', `containers need ids of their own, and ${file} gives none to ${who}`, {
      hint: `as root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${who} (take numbers that nobody has)`,
    });
  }
  const missing = ['newuidmap', 'newgidmap'].find((program) => findProgram(program) === undefined);
  if (missing === undefined) return { uids, gids };
  return new VeneerError('unavailable', `containers need ids of their own, and ${missing} is not installed`, {
    hint: 'install the package uidmap (Debian, Ubuntu) or shadow-utils (Fedora)',
  });
}

function userName(): string | undefined {
  try {
    return os.userInfo().username;
  } catch {
    // Nobody in /etc/passwd.
    return undefined;
  }
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}

function findProgram(name: string): string | undefined {
  const directories = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
  return directories
    .filter((directory) => directory !== '')
    .map((directory) => path.join(directory, name))
    .find(canOpen);
}

function canOpen(file: string): boolean {
  try {
    closeSync(openSync(file, 'r'));
    return true;
  } catch {
    return false;
  }
}

/** A process in the user's namespaces, which are made if need be. */
async function keeperOf(runtime: string): Promise<number> {
  const directory = path.join(runtime, 'veneer');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const found = findKeeper(directory);
  if (found !== undefined) return found;
  const ranges = idRanges();
  if (ranges instanceof VeneerError) throw ranges;
  const lock = openSync(path.join(directory, 'namespace.lock'), 'a', 0o600);
  try {
    must(
      retryIntr(() => flock(lock, LOCK_EX)),
      'flock',
    );
    // Somebody else may have made them meanwhile.
    return findKeeper(directory) ?? (await makeKeeper(directory, ranges));
  } finally {
    closeSync(lock);
  }
}

/**
 * Becomes `program` with these arguments as root of the user's namespaces, in the root directory. Throws `permission` or
 * `unavailable` where the user cannot have namespaces; never returns.
 */
export async function enterNamespace(program: string, args: readonly ByteString[]): Promise<never> {
  const runtime = userRuntimeDirectory(process.env, process.getuid?.() ?? 0);
  if (runtime === undefined) {
    throw new VeneerError('unavailable', 'there is no directory for what runs', { hint: 'set XDG_RUNTIME_DIR' });
  }
  const pid = await keeperOf(runtime);
  const [name, ...join] = joinArguments(pid);
  const file = findProgram(name);
  if (file === undefined) {
    throw new VeneerError('unavailable', `${name} is not installed`, { hint: 'install the package util-linux' });
  }
  // Inside, everybody is root: by the user's number nobody would find the directory there.
  process.env['XDG_RUNTIME_DIR'] = runtime;
  // Node keeps even these from programs that it does not start itself.
  for (const fd of [0, 1, 2]) keepOnExec(fd);
  const failed = execv(toByteString(file), [...[name, ...join, program].map(toByteString), ...args]);
  must(failed, 'execv', file);
  throw new Error('execv returned');
}

function currentDirectory(): string | undefined {
  try {
    return process.cwd();
  } catch {
    // It has been removed.
    return undefined;
  }
}

/** Becomes this very command again, in the user's namespaces. As `enterNamespace`. */
export async function runInNamespace(): Promise<never> {
  const [, script = '', ...args] = process.argv;
  process.env[DIRECTORY] = currentDirectory() ?? '/';
  return await enterNamespace(process.execPath, [
    ...[...process.execArgv, '--', script].map(toByteString),
    ...lastArguments(args.length),
  ]);
}

/** The last of our arguments, as they were given: Node shows text. */
function lastArguments(count: number): ByteString[] {
  const given = readFileSync('/proc/self/cmdline', 'latin1').split('\0').slice(0, -1);
  return given.slice(given.length - count);
}

/** Goes to the directory given first, where it is there, and becomes what follows. */
const IN_DIRECTORY = 'cd -- "$1" 2>/dev/null; shift; exec "$@"';

/**
 * Becomes the command that our last `count` arguments are, or the user's shell where there is none, in his namespaces and in the
 * same directory. As `enterNamespace`.
 */
export async function enterShell(count: number): Promise<never> {
  const start = ['-c', IN_DIRECTORY, 'sh', currentDirectory() ?? '/'].map(toByteString);
  const shell = toByteString(process.env['SHELL'] ?? '/bin/sh');
  return await enterNamespace('/bin/sh', [...start, ...(count > 0 ? lastArguments(count) : [shell])]);
}

/** Goes to the directory where the command was given, and is true, if this process comes from `runInNamespace`. */
export function returnToDirectory(): boolean {
  const directory = process.env[DIRECTORY];
  if (directory === undefined) return false;
  // Not for the programs we start.
  Reflect.deleteProperty(process.env, DIRECTORY);
  try {
    process.chdir(directory);
  } catch {
    // It is not in these namespaces; the root directory is.
  }
  return true;
}
