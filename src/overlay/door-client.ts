// The other end of a server's socket.

import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { VeneerError, hasCode } from '../core/index.js';
import { mountedAt } from './end.js';
import { statisticsSocket } from './statistics-door.js';

export interface Door extends Disposable {
  /** What the server answers to a line, one at a time; undefined once it has ended. */
  readonly ask: (line: string) => Promise<unknown>;
}

/** Milliseconds: a server listens only after its mount answers. */
const OPENS_WITHIN = 5000;
const PAUSE = 5;

async function connectTo(path: string): Promise<Socket> {
  const socket = connect(path);
  await once(socket, 'connect');
  return socket;
}

/** Connects to the server of an absolute mount point. Throws `unavailable`. */
export async function openDoor(mountpoint: string): Promise<Door> {
  const path = statisticsSocket(mountpoint, { env: process.env, uid: process.geteuid?.() ?? 0 }) ?? '';
  const socket = await connectSoon(path, mountpoint);
  socket.on('error', () => undefined);
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  return {
    ask: async (line) => {
      socket.write(`${line}\n`);
      const answer: IteratorResult<string, unknown> = await lines.next();
      return answer.done === true ? undefined : (JSON.parse(answer.value) as unknown);
    },
    [Symbol.dispose]: () => {
      socket.destroy();
    },
  };
}

async function connectSoon(path: string, mountpoint: string): Promise<Socket> {
  const deadline = performance.now() + OPENS_WITHIN;
  for (;;) {
    try {
      return await connectTo(path);
    } catch (cause) {
      const isClosed = hasCode(cause, 'ENOENT') || hasCode(cause, 'ECONNREFUSED');
      if (!isClosed || performance.now() > deadline || !mountedAt(mountpoint)) throw noDoor(mountpoint, cause);
      await sleep(PAUSE);
    }
  }
}

function noDoor(mountpoint: string, cause: unknown): VeneerError {
  return new VeneerError('unavailable', `the server of '${mountpoint}' cannot be asked`, {
    hint: 'only its own user can ask, with the same XDG_RUNTIME_DIR and TMPDIR; servers of --transport fuse-native have none',
    cause,
  });
}
