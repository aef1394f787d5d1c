// Logs: structured lines of JSON (pino), to a file. Not part of the room's index, so that commands that log
// nothing do not load the logger.

import { pino } from 'pino';
import type { Logger } from 'pino';

export type { Logger } from 'pino';

/** A logger that appends to `file`, or writes to standard error; nothing is written while `level` is 'silent'. */
export function openLog(file: string | undefined, level = 'info'): Logger {
  return pino({ level, base: { pid: process.pid } }, pino.destination({ dest: file ?? 2, mkdir: true, sync: true }));
}
