// Who talks to the server of a mount at its socket is answered, whatever the server is doing, and above all when it does nothing.

import { once } from 'node:events';
import { mkdirSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { statisticsSocket } from '../../src/overlay/statistics-door.js';
import { backendGate, mountStaged, stage } from '../helpers/backends.js';
import { tempDir } from '../helpers/tmp.js';

const gate = backendGate('veneer');
const VISITS = 1500;
/** Microseconds: the server goes to sleep some tens of them after its last work. */
const LONGEST_PAUSE = 600;
const PATIENCE = 10_000;

async function visit(socket: string, line: string): Promise<unknown> {
  const visitor = connect(socket);
  try {
    await once(visitor, 'connect');
    visitor.write(line);
    const answer = once(visitor, 'data').then(([data]: unknown[]) => JSON.parse(String(data)) as unknown);
    return await Promise.race([answer, sleep(PATIENCE, 'no answer', { ref: false })]);
  } finally {
    visitor.destroy();
  }
}

describe.skipIf(gate.skip)(gate.title('the door of a server'), () => {
  test('is open in every moment of its going to sleep', async () => {
    using temp = tempDir('door');
    mkdirSync(path.join(temp.path, 'layers'));
    const staged = stage(path.join(temp.path, 'layers'), { lower: [{ file: 'x' }], upper: {} }, 'veneer');
    const { root, unmount } = await mountStaged('veneer', staged);
    const socket = statisticsSocket(root, { env: process.env, uid: process.getuid?.() ?? 0 }) ?? '';
    // It opens a moment after its mount answers: its clients wait as well.
    await expect.poll(() => visit(socket, '\n').catch(String)).toMatchObject({ memory: {} });
    for (let round = 0; round < VISITS; round += 1) {
      // Some work, and a pause until a moment after it.
      statSync(path.join(root, `missing-${String(round)}`), { throwIfNoEntry: false });
      const pause = (round % 60) * (LONGEST_PAUSE / 60);
      for (const end = performance.now() + pause / 1000; performance.now() < end;);
      expect(await visit(socket, '\n'), `${String(pause)} µs after a request`).toMatchObject({ memory: {} });
    }
    await unmount();
  });
});
