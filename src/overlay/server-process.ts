// The server process of a mount, for who ends the mount.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { toByteString } from '../core/index.js';
import { close, endAside, kill, listenerAt, openProcess, processNumbers } from '../sys/index.js';
import { SERVER } from './server-program.js';
import { statisticsSocket } from './statistics-door.js';

const SIGKILL = 9;
const SIGCONT = 18;

/** A file of a process; empty when it has ended, waited for or not. */
export function aboutProcess(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${String(pid)}/${file}`, 'latin1');
  } catch {
    return '';
  }
}

/** Whether a process is the server of a mount: told by its command line. */
function serves(pid: number, mountpoint: string): boolean {
  const [, program = '', argument = ''] = aboutProcess(pid, 'cmdline').split('\0');
  return path.basename(program) === path.basename(SERVER) && argument === toByteString(mountpoint);
}

export class ServerProcess implements Disposable {
  readonly pid: number;
  readonly #fd: number;

  private constructor(pid: number, fd: number) {
    this.pid = pid;
    this.#fd = fd;
  }

  /**
   * The server of an absolute mount point; undefined where there is none. `known`: its number, from who may know it. Otherwise it is who
   * listens at the mount's socket, or else is looked for among all processes.
   */
  static of(mountpoint: string, known?: number): ServerProcess | undefined {
    const told = known === undefined ? undefined : ServerProcess.#open(known, mountpoint);
    if (told !== undefined) return told;
    const socket = statisticsSocket(mountpoint, { env: process.env, uid: process.geteuid?.() ?? 0 });
    const listener = socket === undefined ? 0 : listenerAt(toByteString(socket));
    const listening = listener > 0 ? ServerProcess.#open(listener, mountpoint) : undefined;
    if (listening !== undefined) return listening;
    const pid = processNumbers().find((one) => serves(one, mountpoint));
    return pid === undefined ? undefined : ServerProcess.#open(pid, mountpoint);
  }

  static #open(pid: number, mountpoint: string): ServerProcess | undefined {
    const fd = openProcess(pid);
    if (fd < 0) return undefined;
    // What has the number now is what the fd is for, or has ended.
    if (serves(pid, mountpoint)) return new ServerProcess(pid, fd);
    close(fd);
    return undefined;
  }

  /** Whether it ends within some milliseconds; its locks are gone then. */
  async ends(within: number): Promise<boolean> {
    return (await endAside(this.#fd, within)) !== 0;
  }

  kill(): void {
    kill(this.pid, SIGKILL);
  }

  /** Lets it go on, should it be stopped. */
  resume(): void {
    kill(this.pid, SIGCONT);
  }

  [Symbol.dispose](): void {
    close(this.#fd);
  }
}
