// The other end of a server's statistics.

import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { VeneerError } from '../core/index.js';
import { statisticsSocket } from './statistics-door.js';
import type { ServerStatistics } from './statistics-door.js';

export interface StatisticsConnection extends Disposable {
  /** All counts since the connection was made; undefined once the server has ended. */
  readonly take: () => Promise<ServerStatistics | undefined>;
}

/** Has the server of an absolute mount point count from now on, until disposed of. Throws `unavailable`. */
export async function openStatistics(mountpoint: string): Promise<StatisticsConnection> {
  const path = await statisticsSocket(mountpoint, { env: process.env, uid: process.geteuid?.() ?? 0 });
  const socket = connect(path ?? '');
  try {
    await once(socket, 'connect');
  } catch (cause) {
    throw new VeneerError('unavailable', `the server of '${mountpoint}' does not show statistics`, {
      hint: 'only its own user can ask, with the same XDG_RUNTIME_DIR and TMPDIR; servers of --transport fuse-native have none',
      cause,
    });
  }
  socket.on('error', () => undefined);
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  return {
    take: async () => {
      socket.write('\n');
      const line: IteratorResult<string, unknown> = await lines.next();
      return line.done === true ? undefined : (JSON.parse(line.value) as ServerStatistics);
    },
    [Symbol.dispose]: () => {
      socket.destroy();
    },
  };
}
