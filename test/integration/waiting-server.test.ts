// A server that has started before anybody knows what it is to mount.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type * as Door from '../../src/overlay/start.js';
import { boxStore } from '../helpers/containers/index.js';
import type { BoxStore } from '../helpers/containers/index.js';
import { requires } from '../helpers/requires.js';
import { Scenario } from '../helpers/scenario.js';

const needs = requires('root', 'fuse', 'build');
const START = path.resolve(import.meta.dirname, '../../dist/overlay/start.js');

/** Servers whose command line names something, by process. */
function serversOf(name: string): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => {
      try {
        const words = readFileSync(`/proc/${String(pid)}/cmdline`, 'utf8').split('\0');
        return words.some((word) => word.endsWith('server-main.cjs')) && words.some((word) => word.includes(name));
      } catch {
        return false;
      }
    });
}

describe.skipIf(needs.skip)(needs.title('a server that waits'), () => {
  let door: typeof Door;
  let scenario: Scenario;
  beforeAll(async () => {
    door = (await import(pathToFileURL(START).href)) as typeof Door;
  });
  afterEach(() => scenario.remove());

  const stage = (): string => {
    scenario = new Scenario('waiting', { lower: [{ f: 'content' }], upper: {} });
    return scenario.staged.mountpoint;
  };

  test('mounts what it is told', async () => {
    const mountpoint = stage();
    const server = new door.WaitingServer(mountpoint);
    const [waiting] = serversOf(mountpoint);
    const { lowers, upper, work } = scenario.staged;
    const logFile = path.join(scenario.staged.base, 'veneer.log');
    const { pid } = await door.startOverlay({
      lowerdir: lowers,
      upperdir: upper!,
      workdir: work,
      mountpoint,
      logFile,
      server,
    });
    expect(pid).toBe(waiting);
    expect(readFileSync(`${mountpoint}/f`, 'utf8')).toBe('content');
    await server[Symbol.asyncDispose]();
    expect(readFileSync(`${mountpoint}/f`, 'utf8')).toBe('content');
    process.kill(pid, 'SIGTERM');
    await expect.poll(() => serversOf(mountpoint)).toEqual([]);
  });

  test('ends when it is disposed of', async () => {
    const mountpoint = stage();
    const server = new door.WaitingServer(mountpoint);
    expect(serversOf(mountpoint)).toHaveLength(1);
    await server[Symbol.asyncDispose]();
    expect(serversOf(mountpoint)).toEqual([]);
  });

  test('ends when its parent is killed', async () => {
    const mountpoint = stage();
    const script = `import { WaitingServer } from ${JSON.stringify(pathToFileURL(START).href)};
      new WaitingServer(${JSON.stringify(mountpoint)}); console.log('up'); setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(parent.stdout, 'data');
    expect(serversOf(mountpoint)).toHaveLength(1);
    parent.kill('SIGKILL');
    await expect.poll(() => serversOf(mountpoint)).toEqual([]);
  });

  test('says so where it has been killed before it was told', async () => {
    const mountpoint = stage();
    const server = new door.WaitingServer(mountpoint);
    const [pid = 0] = serversOf(mountpoint);
    process.kill(pid, 'SIGKILL');
    await expect.poll(() => serversOf(mountpoint)).toEqual([]);
    const told = door.startOverlay({ lowerdir: scenario.staged.lowers, mountpoint, server });
    await expect(told).rejects.toThrow('ended before it mounted');
  });
});

const runs = requires('root', 'fuse', 'containers', 'busybox', 'build');

describe.skipIf(runs.skip)(runs.title('a run that comes to nothing'), () => {
  let box: BoxStore;
  beforeAll(async () => {
    box = await boxStore('waiting');
  });
  afterAll(async () => {
    await box.expectNoLeaks();
    await box[Symbol.asyncDispose]();
  });

  test.each([
    ['without its image', ['--pull', 'never', 'nosuch', 'true'], 125],
    ['with a flag it does not know', ['--nosuch', 'box', 'true'], 125],
    ['with a value that makes no sense', ['-p', 'x:y:z', 'box', 'true'], 125],
    ['with a command that is not there', ['--rm', 'box', 'nosuch'], 127],
  ])('leaves no server: %s', (_, args, exitCode) => {
    expect(box.run('run', ...args).code).toBe(exitCode);
    expect(serversOf(box.root)).toEqual([]);
  });

  test('uses the server that has waited, named by the mount point', () => {
    const id = box.ok('run', '-d', 'box', 'sleep', '1000').trim();
    const merged = path.join(box.root, 'containers', id, 'merged');
    expect(serversOf(box.root)).toEqual(serversOf(merged));
    expect(serversOf(merged)).toHaveLength(1);
    box.ok('rm', '-f', id);
    expect(serversOf(box.root)).toEqual([]);
  });

  test('leaves no server when it is killed while it waits for its options', async () => {
    const { child, ended } = box.start(['run', '--rm', '-i', 'box', 'cat']);
    await expect.poll(() => serversOf(box.root), { interval: 5 }).toHaveLength(1);
    child.kill('SIGKILL');
    await ended;
    box.empty();
    await expect.poll(() => serversOf(box.root)).toEqual([]);
  });
});
