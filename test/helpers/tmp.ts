// Temporary directories that go away whatever happens, and a deadline for operations on a mount that may hang.

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { hasCode } from '../../src/core/index.js';
import { MNT_DETACH, umount2 } from '../../src/sys/index.js';

const MNT_FORCE = 1;

let janitor: { readonly child: ChildProcess; readonly fd: number } | undefined;

/** Commands are written synchronously: the next line of the test may be the one that hangs. */
function tell(command: object): void {
  if (janitor === undefined) {
    const script = path.join(import.meta.dirname, 'janitor-process.mjs');
    const child = spawn(process.execPath, [script], { stdio: ['pipe', 'ignore', 'inherit'], detached: true });
    child.unref();
    const pipe = child.stdin as unknown as { _handle: { fd: number; unref(): void } };
    pipe._handle.unref();
    janitor = { child, fd: pipe._handle.fd };
  }
  let left = `${JSON.stringify(command)}\n`;
  while (left !== '') {
    try {
      left = left.slice(writeSync(janitor.fd, left));
    } catch (error) {
      // The pipe is full: the janitor has not come to read yet.
      if (!hasCode(error, 'EAGAIN')) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

/** Mount points below a directory, innermost last. */
export function mountsBelow(dir: string): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) =>
      (line.split(' ')[4] ?? '').replace(/\\([0-7]{3})/g, (_, octal: string) =>
        String.fromCharCode(parseInt(octal, 8)),
      ),
    )
    .filter((mount) => mount.startsWith(`${dir}/`));
}

export interface TempDir extends Disposable {
  readonly path: string;
  /** Un-mounts everything below and removes it. */
  remove(): void;
}

/** A new directory below os.tmpdir(). If the process dies before `remove`, the janitor does its work. */
export function tempDir(label = 'test'): TempDir {
  const dir = realpathSync(mkdtempSync(path.join(os.tmpdir(), `veneer-${label}-`)));
  tell({ watch: dir });
  const remove = (): void => {
    for (const mount of mountsBelow(dir).reverse()) umount2(mount, MNT_FORCE | MNT_DETACH);
    // A server that was cut off may still be ending, and have a last word for its log or its work directory (ENOTEMPTY).
    rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    tell({ forget: dir });
  };
  chmodSync(dir, 0o755);
  return { path: dir, remove, [Symbol.dispose]: remove };
}

/** A deadline was passed and the FUSE mounts of this test file were cut off. */
export class HungError extends Error {
  override readonly name = 'HungError';
}

let markers = 0;

/**
 * Runs synchronous operations on a mount. If they take longer than `ms`, the janitor aborts all FUSE connections below
 * the watched directories, which ends them, and this throws a HungError.
 */
export function withDeadline<T>(label: string, ms: number, run: () => T): T {
  markers += 1;
  const marker = path.join(os.tmpdir(), `veneer-hung-${String(process.pid)}-${String(markers)}`);
  tell({ arm: ms, label, marker });
  let outcome: { value: T } | { error: unknown };
  try {
    outcome = { value: run() };
  } catch (error) {
    outcome = { error };
  }
  tell({ disarm: true });
  if (existsSync(marker)) {
    rmSync(marker);
    const detail = 'error' in outcome ? { cause: outcome.error } : undefined;
    throw new HungError(`'${label}' hung for more than ${String(ms)} ms; the mount was cut off`, detail);
  }
  if ('error' in outcome) throw outcome.error;
  return outcome.value;
}
