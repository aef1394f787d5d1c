// What conmon leaves of a container that has ended.

import { existsSync, readFileSync, statSync } from 'node:fs';
import type { RunFiles } from './run-directory.js';

export interface RunEnd {
  /** The command's own, or 128 and the signal that killed it. */
  readonly exitCode: number;
  /** Milliseconds since the epoch. */
  readonly finishedAt: number;
  readonly oomKilled: boolean;
}

/** How a container ended; undefined while it runs, and when its conmon was killed before. */
export function readRunEnd(files: RunFiles): RunEnd | undefined {
  try {
    const exitCode = Number(readFileSync(files.exit, 'latin1'));
    return { exitCode, finishedAt: Math.round(statSync(files.exit).mtimeMs), oomKilled: existsSync(files.oom) };
  } catch {
    return undefined;
  }
}
