// Reading a container's log, to its end or as it grows.

import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { hasCode } from '../core/index.js';
import { LogParser } from './log-record.js';
import type { LogRecord } from './log-record.js';
import { tailStart } from './log-tail.js';

export interface ReadLogOptions {
  /** Only so many lines at the end, those before what comes while it is read. */
  readonly tail?: number | undefined;
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
  /** Reads on until this settles, and then what there is by then. */
  readonly follow?: Promise<unknown> | undefined;
}

const CHUNK = 1 << 18;

/**
 * The records of a log file, in lots, whose content stays until the next lot is asked for; none where there is no file. A log that conmon
 * has begun anew is followed.
 */
export async function* readLog(file: string, options: ReadLogOptions = {}): AsyncGenerator<LogRecord[], void> {
  const { follow, since, until } = options;
  using changes = follow === undefined ? undefined : new Changes(file, follow);
  const chosen = between(since?.getTime() ?? -Infinity, until?.getTime() ?? Infinity);
  let log: FileHandle | undefined;
  try {
    log = await openLog(file);
    let position = log === undefined || options.tail === undefined ? 0 : await tailStart(log, options.tail);
    let parser = new LogParser();
    const buffer = Buffer.alloc(CHUNK);
    for (;;) {
      // Asked before reading: what was written until then is read.
      const isLast = changes === undefined || changes.ended;
      for (;;) {
        const { bytesRead } = (await log?.read(buffer, 0, CHUNK, position)) ?? { bytesRead: 0 };
        if (bytesRead === 0) break;
        position += bytesRead;
        const { records, isPast } = chosen(parser.take(buffer.subarray(0, bytesRead)));
        if (records.length > 0) yield records;
        if (isPast) return;
      }
      if (log === undefined || (await isReplaced(file, log))) {
        const next = await openLog(file);
        if (next !== undefined) {
          await log?.close();
          [log, position, parser] = [next, 0, new LogParser()];
          continue;
        }
      }
      if (isLast) return;
      await changes.next();
    }
  } finally {
    await log?.close();
  }
}

async function openLog(file: string): Promise<FileHandle | undefined> {
  try {
    return await open(file);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** conmon puts a new file in the place of one that has become too large. */
async function isReplaced(file: string, log: FileHandle): Promise<boolean> {
  try {
    return (await stat(file)).ino !== (await log.stat()).ino;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}

/** Leaves out what is of another time; what comes after it is not read. */
function between(since: number, until: number): (records: LogRecord[]) => { records: LogRecord[]; isPast: boolean } {
  if (since === -Infinity && until === Infinity) return (records) => ({ records, isPast: false });
  return (all) => {
    const records = all.filter(({ time }) => {
      const at = Date.parse(time);
      return at >= since && at <= until;
    });
    const last = all.at(-1);
    return { records, isPast: last !== undefined && Date.parse(last.time) > until };
  };
}

/** Tells when a file may have changed, without asking all the time. */
class Changes implements Disposable {
  readonly #watcher: FSWatcher;
  #changed = false;
  #wake: (() => void) | undefined;
  ended = false;

  constructor(file: string, end: Promise<unknown>) {
    // The directory's: the file may be another one soon.
    this.#watcher = watch(path.dirname(file), (_event, name) => {
      if (name === path.basename(file)) this.#tell();
    });
    this.#watcher.on('error', () => undefined);
    const onEnd = (): void => {
      this.ended = true;
      this.#tell();
    };
    end.then(onEnd, onEnd);
  }

  #tell(): void {
    this.#changed = true;
    this.#wake?.();
  }

  async next(): Promise<void> {
    if (!this.#changed) await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#changed = false;
  }

  [Symbol.dispose](): void {
    this.#watcher.close();
  }
}
