// A user of the tests' own, with subordinate ids and a home, and `veneer` as he calls it. /dev/fuse and /dev/net/tun are open to him in a mount
// namespace of his calls' own, as udev makes them: the machine's devices stay as they are.

import { chownSync, mkdirSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { AT_FDCWD, S_IFCHR, encodeDev, fchmodat, mknodat, must } from '../../src/sys/index.js';
import { run } from './other-process.js';
import type { ProgramResult } from './other-process.js';
import { FORGET_MOUNTS } from './own-mounts.js';
import { runProgram } from './requires.js';
import { CLI } from './run-cli.js';
import { tempDir } from './tmp.js';
import type { TempDir } from './tmp.js';

/** `FUSE_MAJOR` is MISC_MAJOR; the minor is fixed, too (Documentation/admin-guide/devices.txt). */
const FUSE_DEVICE = encodeDev(10, 229);

/** Numbers that no other user of a test machine has. */
const FIRST_SUBORDINATE = 1_600_000_000;
const SUBORDINATES = 65_536;

const TUN_DEVICE = encodeDev(10, 200);

const MOUNTS = `${FORGET_MOUNTS}mount --bind "$0/fuse" /dev/fuse; mount --bind "$0/tun" /dev/net/tun; exec "$@"`;

/** What scripts find. */
const PRELUDE = 'veneer() { "$NODE" "$CLI" "$@"; }\n';

export interface PlainUserOptions {
  /** Without, the user has no ids but his own. */
  readonly subordinates?: boolean;
}

let users = 0;

export class PlainUser implements Disposable {
  readonly temp: TempDir;
  readonly name: string;
  readonly uid: number;
  readonly first = FIRST_SUBORDINATE;

  constructor({ subordinates = true }: PlainUserOptions = {}) {
    users += 1;
    this.name = `veneer-test-${String(process.pid)}-${String(users)}`;
    this.temp = tempDir('user');
    for (const [name, device] of Object.entries({ fuse: FUSE_DEVICE, tun: TUN_DEVICE })) {
      must(mknodat(AT_FDCWD, this.at(name), S_IFCHR | 0o666, device), 'mknod');
      must(fchmodat(AT_FDCWD, this.at(name), 0o666), 'chmod');
    }
    // The system's own choice of numbers would be there or not.
    runProgram('useradd', [
      '-M',
      '-d',
      this.at('home'),
      '-s',
      '/bin/sh',
      '-K',
      'SUB_UID_COUNT=0',
      '-K',
      'SUB_GID_COUNT=0',
      this.name,
    ]);
    const range = `${String(FIRST_SUBORDINATE)}-${String(FIRST_SUBORDINATE + SUBORDINATES - 1)}`;
    if (subordinates) runProgram('usermod', ['--add-subuids', range, '--add-subgids', range, this.name]);
    this.uid = Number(runProgram('id', ['-u', this.name]));
    for (const name of ['home', 'run']) {
      mkdirSync(this.at(name), { mode: 0o700 });
      chownSync(this.at(name), this.uid, this.uid);
    }
  }

  at(...names: string[]): string {
    return path.join(this.temp.path, ...names);
  }

  /** What a script is run by, as the user, in his home; for a terminal, too. */
  command(script: string): { file: string; args: string[]; cwd: string; env: NodeJS.ProcessEnv } {
    const user = ['setpriv', '--reuid', this.name, '--regid', this.name, '--init-groups'];
    return {
      file: 'unshare',
      args: ['-m', 'sh', '-euc', MOUNTS, this.temp.path, ...user, 'sh', '-eu', '-c', PRELUDE + script],
      cwd: this.at('home'),
      env: {
        PATH: process.env['PATH'],
        NODE: process.execPath,
        CLI,
        USER: this.name,
        HOME: this.at('home'),
        XDG_RUNTIME_DIR: this.at('run'),
      },
    };
  }

  /** Runs a script; its whole outcome. */
  async try(script: string, env: NodeJS.ProcessEnv = {}): Promise<ProgramResult> {
    const { file, args, ...options } = this.command(script);
    return await run(file, args, { ...options, env: { ...options.env, ...env } });
  }

  /** As `try`; the script must succeed without a word on stderr. */
  async on(script: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
    const { status, stdout, stderr } = await this.try(script, env);
    if (status !== 0 || stderr !== '') throw new Error(`exit ${String(status)}: ${stderr}\n${stdout}`);
    return stdout;
  }

  /** The processes of the user and of his containers, by their arguments; what has ended and waits for its parent is none. */
  processes(): { pid: number; command: string }[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((pid) => {
        try {
          const status = readFileSync(`/proc/${pid}/status`, 'latin1');
          const uid = Number(/^Uid:\s+(\d+)/m.exec(status)?.[1]);
          const isOurs = uid === this.uid || (uid >= this.first && uid < this.first + SUBORDINATES);
          if (!isOurs || /^State:\s+Z/m.test(status)) return [];
          return [
            { pid: Number(pid), command: readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ').trim() },
          ];
        } catch {
          // It has ended meanwhile.
          return [];
        }
      });
  }

  /** The process that keeps the user's namespaces. */
  keeper(): number {
    return (JSON.parse(readFileSync(this.at('run', 'veneer', 'namespace.json'), 'utf8')) as { pid: number }).pid;
  }

  /** What is in the run directories of the user's stores, of containers and of their networks. */
  leftovers(): string[] {
    const found = readdirSync(this.at('run', 'veneer'), { recursive: true, encoding: 'utf8' });
    return found.filter((name) => /\/(?:crun\/)?[0-9a-f]{12}/.test(name));
  }

  /** Of a process: which mount namespace it is in. */
  mountNamespace(pid: number): string {
    return readlinkSync(`/proc/${String(pid)}/ns/mnt`);
  }

  /** Ends all processes of the user, as a log-out may. */
  killAll(): void {
    for (let left = this.processes(); left.length > 0; left = this.processes()) {
      for (const { pid } of left) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // ESRCH: it has ended meanwhile.
        }
      }
    }
  }

  [Symbol.dispose](): void {
    this.killAll();
    runProgram('userdel', ['-f', this.name]);
    this.temp.remove();
  }
}
