// Where a server can be talked to: a unix socket in the directory of logs, for its own user alone. While somebody is connected,
// operations are counted; each line received is answered by one line of JSON: an empty one with all counts so far, one of JSON when
// what it asks for is done.

import { readFileSync, rmSync } from 'node:fs';
import type { Server, Socket } from 'node:net';
import { join } from 'node:path';
import type { Statistics, StatisticsSnapshot } from '../fuse/index.js';
import type { ByteString } from '../core/index.js';
import { logDirectory } from './log-file.js';
import type { LogContext } from './log-file.js';
import { describeFailure } from './server.js';
import type { Failure } from './server.js';

export interface ServerStatistics extends StatisticsSnapshot {
  /** When it was taken: milliseconds, of use for differences only. */
  readonly at: number;
  /** Bytes: proportional and whole resident memory of the server process. */
  readonly memory: { readonly proportional: number; readonly resident: number };
  /** Microseconds of processor time that the server process has used. */
  readonly processor: { readonly user: number; readonly system: number };
}

/** FNV-1a, 64 bits: the mount points of one user are told apart, and the server need not load node:crypto. */
function fingerprint(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of Buffer.from(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash.toString(16).padStart(16, '0');
}

/**
 * The socket of the server of an absolute mount point, or undefined where there is no directory for one. Named by a digest: a socket's
 * path must fit into 107 bytes.
 */
export function statisticsSocket(mountpoint: string, context: LogContext): string | undefined {
  const directory = logDirectory(context);
  return directory === undefined ? undefined : join(directory, `stats-${fingerprint(mountpoint)}`);
}

/** Removes what a server that was killed has left of its door. */
export function removeDoor(mountpoint: string): void {
  const path = statisticsSocket(mountpoint, { env: process.env, uid: process.geteuid?.() ?? 0 });
  if (path !== undefined) rmSync(path, { force: true });
}

function memory(): ServerStatistics['memory'] {
  const rollup = readFileSync('/proc/self/smaps_rollup', 'latin1');
  const kilobytes = (name: string): number => Number(new RegExp(`^${name}: +(\\d+)`, 'm').exec(rollup)?.[1] ?? 0);
  return { proportional: kilobytes('Pss') * 1024, resident: kilobytes('Rss') * 1024 };
}

/** Of a line of JSON. */
export interface ServerCommand {
  /** An absolute path: where the upper directory goes, a ByteString. */
  readonly freeze: ByteString;
}

export type CommandAnswer = { readonly done: true } | { readonly failure: Failure };

export interface DoorOptions {
  readonly statistics: Statistics;
  readonly mountpoint: string;
  readonly obey: (command: ServerCommand) => Promise<void>;
}

export class StatisticsDoor {
  readonly #statistics: Statistics;
  readonly #mountpoint: string;
  readonly #obey: DoorOptions['obey'];
  readonly #visitors = new Set<Socket>();
  #server: Server | undefined;

  constructor({ statistics, mountpoint, obey }: DoorOptions) {
    this.#statistics = statistics;
    this.#mountpoint = mountpoint;
    this.#obey = obey;
  }

  /** Listens. Does not keep the process alive. */
  async open(): Promise<void> {
    const path = statisticsSocket(this.#mountpoint, { env: process.env, uid: process.geteuid?.() ?? 0 });
    if (path === undefined) return;
    const { createServer } = await import('node:net');
    // A server that was killed has left its own.
    rmSync(path, { force: true });
    this.#server = createServer((visitor) => {
      this.#receive(visitor);
    });
    this.#server.on('error', () => undefined);
    this.#server.listen(path).unref();
  }

  #receive(visitor: Socket): void {
    this.#visitors.add(visitor);
    this.#statistics.watch();
    visitor.unref();
    let text = '';
    visitor.on('data', (data) => {
      const lines = (text + data.toString('latin1')).split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) void this.#answer(visitor, line);
    });
    visitor.on('error', () => undefined);
    visitor.on('close', () => {
      this.#visitors.delete(visitor);
      this.#statistics.unwatch();
    });
  }

  async #answer(visitor: Socket, line: string): Promise<void> {
    const answer = line === '' ? this.#take() : await this.#run(line);
    visitor.write(`${JSON.stringify(answer)}\n`);
  }

  async #run(line: string): Promise<CommandAnswer> {
    try {
      await this.#obey(JSON.parse(line) as ServerCommand);
      return { done: true };
    } catch (error) {
      return { failure: describeFailure(error) };
    }
  }

  #take(): ServerStatistics {
    return { ...this.#statistics.snapshot(), at: performance.now(), memory: memory(), processor: process.cpuUsage() };
  }

  close(): void {
    this.#server?.close();
    for (const visitor of this.#visitors) visitor.destroy();
  }
}
