// The control fifo of conmon: lines of three numbers (conmon, src/ctrl.c).

import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { hasCode } from '../core/index.js';

/** The size of a terminal, in characters. */
export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

const RESIZE = 1;
const REOPEN_LOGS = 2;
/** conmon refuses larger ones. */
const MAX_SIZE = 1000;

/** Gives the container's terminal its size. Nothing happens where the container has ended. */
export function resizeTerminal(fifo: string, { rows, columns }: TerminalSize): void {
  tell(fifo, [RESIZE, Math.min(rows, MAX_SIZE), Math.min(columns, MAX_SIZE)]);
}

/** Has conmon open its log file anew, as after a rotation. */
export function reopenLogs(fifo: string): void {
  tell(fifo, [REOPEN_LOGS, 0, 0]);
}

function tell(fifo: string, numbers: readonly number[]): void {
  let fd;
  try {
    fd = openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch (error) {
    // No file, or nobody who reads it.
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENXIO')) return;
    throw error;
  }
  try {
    writeSync(fd, `${numbers.join(' ')}\n`);
  } finally {
    closeSync(fd);
  }
}
