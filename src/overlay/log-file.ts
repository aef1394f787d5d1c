// Where a server logs when nobody says: one file per mount point, in a place that does not outlive the session.

import { fstatSync, ftruncateSync, lstatSync, mkdirSync, openSync, readFileSync, unlinkSync } from 'node:fs';
import path from 'node:path';

export interface LogContext {
  readonly env: NodeJS.ProcessEnv;
  readonly uid: number;
}

/** The first directory that can be had: /run/veneer for root, the user's runtime directory, a temporary one. */
export function logDirectory({ env, uid }: LogContext): string | undefined {
  const runtime = env['XDG_RUNTIME_DIR'];
  const candidates = [
    ...(uid === 0 ? ['/run/veneer'] : []),
    ...(runtime === undefined ? [] : [path.join(runtime, 'veneer')]),
    path.join(env['TMPDIR'] ?? '/tmp', `veneer-${String(uid)}`),
  ];
  return candidates.find((directory) => {
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      // Somebody else may have made it, in a temporary directory above all, to have us write where they like.
      const stat = lstatSync(directory);
      return stat.isDirectory() && stat.uid === uid;
    } catch {
      // Root of a user namespace may not write to /run: the next one is as good.
      return false;
    }
  });
}

/** The log of the mount at an absolute path (`/run/veneer/mnt-data.log`), or undefined where none can be written. */
export function defaultLogFile(mountpoint: string, context: LogContext): string | undefined {
  const directory = logDirectory(context);
  if (directory === undefined) return undefined;
  const name = mountpoint.slice(1).replaceAll('/', '-').slice(-200);
  return path.join(directory, `${name === '' ? 'root' : name}.log`);
}

/** A log that a server appends to. */
export class LogFile {
  readonly fd: number;
  readonly #path: string;
  readonly #before: number;

  /** It may name files, so it is for the server's user alone. */
  constructor(file: string) {
    mkdirSync(path.dirname(file), { recursive: true });
    this.#path = file;
    this.fd = openSync(file, 'a', 0o600);
    this.#before = fstatSync(this.fd).size;
  }

  /**
   * At the end of this process: takes its lines back where none of them is a warning or worse, and the file where it has no others. What an
   * earlier server has left, or another one of the same mount point says, stays.
   */
  tidy(): void {
    try {
      const lines = readFileSync(this.#path, 'latin1').slice(this.#before).split('\n').slice(0, -1);
      if (!lines.every(isHarmless)) return;
      if (this.#before === 0) unlinkSync(this.#path);
      else ftruncateSync(this.fd, this.#before);
    } catch {
      // Somebody else has taken it away, or written to it.
    }
  }
}

const WARN = 40;

function isHarmless(line: string): boolean {
  const { level, pid } = JSON.parse(line) as { level?: unknown; pid?: unknown };
  return pid === process.pid && Number(level) < WARN;
}
