// What containers have written, as they wrote it: standard output to ours, standard error to ours.

import type { LogOptions } from '../container/index.js';
import { fdSink } from '../runtime/index.js';
import type { LogRecord } from '../runtime/index.js';
import type { Store } from '../store/index.js';

export interface PrintLogsOptions extends LogOptions {
  readonly timestamps: boolean;
  /** Whether lines begin with the name of their container. */
  readonly named: boolean;
}

const NEWLINE = Buffer.from('\n');

/** Prints the logs of containers; of several that are followed, lines as they come. */
export async function printLogs(
  store: Store,
  references: readonly string[],
  { timestamps, named, ...choice }: PrintLogsOptions,
): Promise<void> {
  const { containerLogs } = await import('../container/index.js');
  const names = references.map((reference) => store.containers.resolve(reference).name);
  const width = Math.max(...names.map((name) => name.length));
  const print = async (reference: string, name: string): Promise<void> => {
    const prefix = named ? `${name.padEnd(width)} | ` : '';
    const writer = new LogWriter((time) => `${prefix}${timestamps ? `${time} ` : ''}`);
    for await (const records of containerLogs(store, reference, choice)) await writer.write(records);
  };
  const each = references.map((reference, at) => [reference, names[at] ?? ''] as const);
  if (choice.follow === true) await Promise.all(each.map(([reference, name]) => print(reference, name)));
  else for (const [reference, name] of each) await print(reference, name);
}

/** Puts the parts of lines together again, and what stands before each line. */
class LogWriter {
  readonly #prefix: (time: string) => string;
  readonly #inLine = { stdout: false, stderr: false };

  constructor(prefix: (time: string) => string) {
    this.#prefix = prefix;
  }

  async write(records: readonly LogRecord[]): Promise<void> {
    let pieces: Buffer[] = [];
    let stream: LogRecord['stream'] = 'stdout';
    const flush = async (): Promise<void> => {
      if (pieces.length > 0) await SINKS[stream](Buffer.concat(pieces));
      pieces = [];
    };
    for (const record of records) {
      if (record.stream !== stream) await flush();
      stream = record.stream;
      const prefix = this.#inLine[stream] ? '' : this.#prefix(record.time);
      if (prefix !== '') pieces.push(Buffer.from(prefix));
      pieces.push(record.content);
      if (!record.partial) pieces.push(NEWLINE);
      this.#inLine[stream] = record.partial;
    }
    await flush();
  }
}

const SINKS = { stdout: fdSink(1), stderr: fdSink(2) };
