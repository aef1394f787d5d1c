// Mounting as a plain user: the setuid program fusermount3 opens the device, mounts it and sends it back through a
// socket (libfuse, util/fusermount.c). It knows best what a user may; its complaints are handed on.

import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { SysError, VeneerError, errno, hasCode } from '../core/index.js';
import { MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY, close, must } from '../sys/index.js';
import { receiveFd, setNonBlocking, socketPair } from '../sys/index.js';
import type { MountOptions } from './mount.js';

const PROGRAMS = ['fusermount3', 'fusermount'] as const;

/** Where libfuse is told whether users may let others in. */
const CONFIGURATION = '/etc/fuse.conf';

/** Whether `allow_other` would be refused: it needs the line `user_allow_other`. */
export function mayAllowOther(configuration: string): boolean {
  return configuration.split('\n').some((line) => line.trim() === 'user_allow_other');
}

function readConfiguration(): string {
  try {
    return readFileSync(CONFIGURATION, 'utf8');
  } catch {
    // Without the file nothing is allowed beyond the default.
    return '';
  }
}

const FLAG_WORDS: readonly (readonly [number, string])[] = [
  [MS_RDONLY, 'ro'],
  [MS_NOSUID, 'nosuid'],
  [MS_NODEV, 'nodev'],
  [MS_NOEXEC, 'noexec'],
];

/** The option list for the helper. */
export function helperOptions(options: MountOptions, configuration: string): string {
  const words = FLAG_WORDS.filter(([flag]) => (options.flags & flag) !== 0).map(([, word]) => word);
  const others = options.allowOther && mayAllowOther(configuration) ? ['allow_other'] : [];
  const source = options.source.replace(/[\\,]/g, '\\$&');
  return [`fsname=${source}`, `subtype=${options.subtype}`, 'default_permissions', ...others, ...words].join(',');
}

interface Ran {
  readonly status: number;
  readonly complaint: string;
}

/** Runs the helper with fd 3; undefined where there is none. */
function runHelper(args: readonly string[], fd: number): Ran | undefined {
  for (const program of PROGRAMS) {
    const child = spawnSync(program, args, {
      stdio: ['ignore', 'ignore', 'pipe', fd],
      env: { ...process.env, _FUSE_COMMFD: '3' },
      encoding: 'utf8',
    });
    if (child.error !== undefined && hasCode(child.error, 'ENOENT')) continue;
    const complaint = child.stderr.trim().split('\n').at(-1) ?? '';
    return { status: child.status ?? -1, complaint: complaint.replace(/^fusermount3?: /, '') };
  }
  return undefined;
}

/**
 * Mounts through the helper and returns the device, non-blocking; undefined where there is no helper. Throws
 * `permission` with what the helper says.
 */
export function mountByHelper(options: MountOptions): number | undefined {
  const pair = socketPair();
  if (typeof pair === 'number') throw new SysError(-pair, 'socketpair');
  const [ours, theirs] = pair;
  try {
    const ran = runHelper(['-o', helperOptions(options, readConfiguration()), '--', options.mountpoint], theirs);
    if (ran === undefined) return undefined;
    const device = ran.status === 0 ? receiveFd(ours) : -errno.EPERM;
    if (device < 0) {
      const why = ran.complaint === '' ? `fusermount3 ended with code ${String(ran.status)}` : ran.complaint;
      throw new VeneerError('permission', `cannot mount on '${options.mountpoint}': ${why}`);
    }
    must(setNonBlocking(device), 'fcntl', '/dev/fuse');
    return device;
  } finally {
    close(ours);
    close(theirs);
  }
}

/** Un-mounts what a user mounted; `lazy` takes a busy mount out of sight. Resolves to 0, -EBUSY or -EPERM. */
export async function unmountByHelper(mountpoint: string, options: { readonly lazy: boolean }): Promise<number> {
  for (const program of PROGRAMS) {
    const status = await new Promise<number | undefined>((resolve) => {
      execFile(program, [options.lazy ? '-uz' : '-u', '--', mountpoint], (error, _stdout, complaint) => {
        if (error === null) resolve(0);
        else if (hasCode(error, 'ENOENT')) resolve(undefined);
        else resolve(/busy/i.test(complaint) ? -errno.EBUSY : -errno.EPERM);
      });
    });
    if (status !== undefined) return status;
  }
  return -errno.EPERM;
}
