// The other end of a server's statistics.

import { openDoor } from './door-client.js';
import type { ServerStatistics } from './statistics-door.js';

export interface StatisticsConnection extends Disposable {
  /** All counts since the connection was made; undefined once the server has ended. */
  readonly take: () => Promise<ServerStatistics | undefined>;
}

/** Has the server of an absolute mount point count from now on, until disposed of. Throws `unavailable`. */
export async function openStatistics(mountpoint: string): Promise<StatisticsConnection> {
  const door = await openDoor(mountpoint);
  return {
    take: async () => (await door.ask('')) as ServerStatistics | undefined,
    [Symbol.dispose]: () => {
      door[Symbol.dispose]();
    },
  };
}
