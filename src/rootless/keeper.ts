// The namespaces of a user: one user namespace, and one mount namespace for all that he mounts. They last as long as a process
// is in them; that is the keeper, which does nothing else.

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync, readlinkSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { VeneerError } from '../core/index.js';
import { mapArguments } from './subordinate-ids.js';
import type { SubordinateRange } from './subordinate-ids.js';

/** What is written down of the namespaces: enough to recognise any process that is in them. */
interface Keeping {
  readonly boot: string;
  readonly pid: number;
  /** As readlink(2) of /proc/PID/ns/user and mnt says. */
  readonly user: string;
  readonly mnt: string;
}

export interface IdRanges {
  readonly uids: readonly SubordinateRange[];
  readonly gids: readonly SubordinateRange[];
}

const bootId = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();

const recordOf = (directory: string): string => path.join(directory, 'namespace.json');

function namespaceOf(pid: number, which: 'user' | 'mnt'): string | undefined {
  try {
    return readlinkSync(`/proc/${String(pid)}/ns/${which}`);
  } catch {
    // Gone, or somebody else's.
    return undefined;
  }
}

function isIn(pid: number, { user, mnt }: Keeping): boolean {
  return namespaceOf(pid, 'mnt') === mnt && namespaceOf(pid, 'user') === user;
}

function readRecord(directory: string): Keeping | undefined {
  try {
    const record = JSON.parse(readFileSync(recordOf(directory), 'utf8')) as Keeping;
    return record.boot === bootId() ? record : undefined;
  } catch {
    return undefined;
  }
}

function writeRecord(directory: string, pid: number): number {
  const [user, mnt] = [namespaceOf(pid, 'user'), namespaceOf(pid, 'mnt')];
  if (user === undefined || mnt === undefined) throw cannotMake('its keeper has ended');
  const file = recordOf(directory);
  const keeping: Keeping = { boot: bootId(), pid, user, mnt };
  writeFileSync(`${file}.new`, JSON.stringify(keeping), { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return pid;
}

function cannotMake(why: string, cause?: unknown): VeneerError {
  return new VeneerError('unavailable', `cannot make a user namespace: ${why}`, {
    cause,
    hint: 'user namespaces may be switched off: see sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone and kernel.apparmor_restrict_unprivileged_userns',
  });
}

/** A process in the namespaces made before: the keeper. */
export function findKeeper(directory: string): number | undefined {
  const record = readRecord(directory);
  return record !== undefined && isIn(record.pid, record) ? record.pid : undefined;
}

/** Any other process in them, when the keeper was killed: servers of mounts, and what watches containers. */
function findAnother(directory: string): number | undefined {
  const record = readRecord(directory);
  if (record === undefined) return undefined;
  return readdirSync('/proc')
    .map(Number)
    .find((pid) => pid > 0 && isIn(pid, record));
}

/** What joins the namespaces of a process and becomes a program there, and what the program is started with. */
export function joinArguments(pid: number): readonly [string, ...string[]] {
  // Groups that are not mapped stay with the process: what a group may read is still read.
  return ['nsenter', '-t', String(pid), '-U', '-m', '--preserve-credentials', '--'];
}

const DETACHED = { detached: true, cwd: '/' } as const;

/**
 * Waits for a line on standard input, to be told that the ids are mapped; then sleeps. On a machine with both kinds of cgroups,
 * crun refuses to work where those of version 2 have a controller, and users have no use for them: they are hidden.
 */
const KEEP = `echo ready && read -r go
controllers=
read -r controllers 2>/dev/null </sys/fs/cgroup/unified/cgroup.controllers
[ -z "$controllers" ] || mount -t tmpfs tmpfs /sys/fs/cgroup/unified
exec sleep infinity </dev/null >/dev/null 2>&1`;

/**
 * Makes the namespaces, or a new keeper for those that have lost theirs, and returns its process. One process at a time may be
 * in here. Throws `unavailable` where the system refuses.
 */
export async function makeKeeper(directory: string, ranges: IdRanges): Promise<number> {
  const another = findAnother(directory);
  const [file, ...join] = another === undefined ? UNSHARE : joinArguments(another);
  const keeper = spawn(file, [...join, 'sh', '-c', KEEP], { ...DETACHED, stdio: ['pipe', 'pipe', 'pipe'] });
  const complaints = collect(keeper);
  keeper.on('error', () => undefined);
  keeper.stdin.on('error', () => undefined);
  try {
    const pid = await readiness(keeper, complaints);
    if (another === undefined) await mapIds(pid, ranges);
    keeper.stdin.end('go\n');
    // The shell has become something that holds none of our pipes.
    await once(keeper.stdout, 'close');
    keeper.unref();
    return writeRecord(directory, pid);
  } catch (error) {
    keeper.kill('SIGKILL');
    throw error;
  }
}

/** What the user mounts is not seen outside; what is mounted outside from now on is seen inside. */
const UNSHARE = ['unshare', '--user', '--mount', '--propagation', 'slave', '--'] as const;

async function readiness(keeper: ChildProcess, complaints: Promise<string>): Promise<number> {
  const ready = await new Promise<boolean>((resolve) => {
    keeper.stdout?.once('data', () => {
      resolve(true);
    });
    keeper.once('close', () => {
      resolve(false);
    });
    keeper.once('error', () => {
      resolve(false);
    });
  });
  if (ready && keeper.pid !== undefined) return keeper.pid;
  throw cannotMake((await complaints).trim().split('\n').at(-1) ?? '');
}

async function collect(child: ChildProcess): Promise<string> {
  let text = '';
  if (child.stderr !== null) for await (const chunk of child.stderr) text += String(chunk);
  return text;
}

async function mapIds(pid: number, { uids, gids }: IdRanges): Promise<void> {
  await Promise.all([
    runMapper('newuidmap', [String(pid), ...mapArguments(process.getuid?.() ?? 0, uids)]),
    runMapper('newgidmap', [String(pid), ...mapArguments(process.getgid?.() ?? 0, gids)]),
  ]);
}

async function runMapper(program: string, args: readonly string[]): Promise<void> {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const complaints = collect(child);
  const failure = await new Promise<unknown>((resolve) => {
    child.once('error', resolve);
    child.once('close', (code) => {
      resolve(code === 0 ? undefined : new Error(`exit code ${String(code)}`));
    });
  });
  if (failure === undefined) return;
  throw cannotMake(`${program} failed: ${(await complaints).trim().split('\n').at(-1) ?? ''}`, failure);
}
