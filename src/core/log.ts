// Logs: structured lines of JSON (pino), to a file. Not part of the room's index, so that commands that log
// nothing do not load the logger.

import { pino } from 'pino';
import type { Logger } from 'pino';

export type { Logger } from 'pino';

/** A logger that writes to an open file; nothing is written while `level` is 'silent'. */
export function openLog(fd: number, level = 'info'): Logger {
  return pino({ level, base: { pid: process.pid } }, pino.destination({ dest: fd, sync: true }));
}
