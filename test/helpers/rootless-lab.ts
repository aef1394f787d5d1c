// Scripts run as a plain user, in a mount namespace of their own where /dev/fuse is open to all, as udev makes it: the
// machine's own device and configuration stay as they are.

import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { AT_FDCWD, S_IFCHR, encodeDev, fchmodat, mknodat, must } from '../../src/sys/index.js';
import { run } from './other-process.js';
import type { ProgramResult } from './other-process.js';
import { FORGET_MOUNTS } from './own-mounts.js';
import { CLI } from './run-cli.js';
import { tempDir } from './tmp.js';
import type { TempDir } from './tmp.js';

export const USER = 65534;

/** `FUSE_MAJOR` is MISC_MAJOR; the minor is fixed, too (Documentation/admin-guide/devices.txt). */
const FUSE_DEVICE = encodeDev(10, 229);

export interface RootlessOptions {
  /** /etc/fuse.conf as the helper sees it. */
  readonly fuseConf?: string;
  /** Run as the root of a user namespace: this user, and 1,000 more from 100000 on as 1 and up. */
  readonly namespace?: boolean;
}

/** What scripts find: `veneer`, and a trap that leaves no mount behind. */
const PRELUDE = `
veneer() { "$NODE" "$CLI" "$@"; }
trap 'status=$?; set +e; umount m k 2>/dev/null; fusermount3 -uz m 2>/dev/null; exit $status' EXIT
`;

/** `l`, `u`, `w`, `m` and `k` in a directory that belongs to the user. */
export class RootlessLab implements Disposable {
  readonly temp: TempDir;

  constructor(label: string) {
    this.temp = tempDir(label);
    for (const name of ['', 'l', 'u', 'w', 'm', 'k', 'run']) {
      if (name !== '') mkdirSync(this.at(name));
      chownSync(this.at(name), USER, USER);
    }
    must(mknodat(AT_FDCWD, this.at('fuse'), S_IFCHR | 0o666, FUSE_DEVICE), 'mknod');
    must(fchmodat(AT_FDCWD, this.at('fuse'), 0o666), 'chmod');
    writeFileSync(this.at('fuse.conf'), '');
    chmodSync(this.at('fuse.conf'), 0o644);
  }

  at(...names: string[]): string {
    return path.join(this.temp.path, ...names);
  }

  /** Runs a script; its whole outcome. */
  async try(script: string, options: RootlessOptions = {}): Promise<ProgramResult> {
    writeFileSync(this.at('fuse.conf'), options.fuseConf ?? '');
    const env = {
      PATH: process.env['PATH'],
      NODE: process.execPath,
      CLI,
      XDG_RUNTIME_DIR: this.at('run'),
      HOME: this.temp.path,
    };
    const shell = ['sh', '-eu', '-c', PRELUDE + script];
    const user = ['setpriv', '--reuid', String(USER), '--regid', String(USER), '--clear-groups'];
    const mounts =
      'mount --bind fuse /dev/fuse; if [ -e /etc/fuse.conf ]; then mount --bind fuse.conf /etc/fuse.conf; fi';
    const inner =
      options.namespace === true
        ? [...user, 'unshare', '-Um', 'sh', '-c', 'echo $$ >&3; read go; shift 0; exec "$@"', 'sh', ...shell]
        : [...user, ...shell];
    const args = ['-m', 'sh', '-euc', `${FORGET_MOUNTS}${mounts}; exec "$@"`, 'sh', ...inner];
    if (options.namespace !== true) return await run('unshare', args, { cwd: this.temp.path, env });
    return await runMapped('unshare', args, { cwd: this.temp.path, env });
  }

  /** As `try`; the script must succeed without a word on stderr. */
  async on(script: string, options: RootlessOptions = {}): Promise<string> {
    const { status, stdout, stderr } = await this.try(script, options);
    if (status !== 0 || stderr !== '') throw new Error(`exit ${String(status)}: ${stderr}\n${stdout}`);
    return stdout;
  }

  [Symbol.dispose](): void {
    this.temp.remove();
  }
}

/** Runs a program that tells its process id on fd 3 and waits for a line until its ids are mapped. */
async function runMapped(
  file: string,
  args: readonly string[],
  options: { cwd: string; env: NodeJS.ProcessEnv },
): Promise<ProgramResult> {
  const child = spawn(file, args, {
    ...options,
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
  const text = { stdout: '', stderr: '' };
  child.stdout.setEncoding('latin1').on('data', (chunk: string) => (text.stdout += chunk));
  child.stderr.setEncoding('latin1').on('data', (chunk: string) => (text.stderr += chunk));
  const told = child.stdio[3] as NodeJS.ReadableStream;
  told.setEncoding('latin1').once('data', (pid: string) => {
    const map = `0 ${String(USER)} 1\n1 100000 1000\n`;
    for (const name of ['uid_map', 'gid_map']) writeFileSync(`/proc/${pid.trim()}/${name}`, map);
    child.stdin.end('go\n');
  });
  return await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => {
      resolve({ status: status ?? -1, ...text });
    });
  });
}
