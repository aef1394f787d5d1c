import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { requires } from '../helpers/requires.js';
import { CLI, sandboxWithBase } from '../helpers/run-cli.js';
import type { Sandbox } from '../helpers/run-cli.js';

const gate = requires('root', 'fuse', 'build', 'tar');

interface Line {
  readonly mountpoint: string;
  readonly seconds: number;
  readonly perSecond: number;
  readonly operations: readonly { readonly operation: string; readonly p99: number; readonly errors: number }[];
  readonly names: { readonly known: number; readonly searched: number };
  readonly nodes: number;
  readonly memory: { readonly proportional: number; readonly resident: number };
}

let box: Sandbox;

beforeEach(() => {
  box = sandboxWithBase('stats');
});

afterEach(() => {
  box[Symbol.dispose]();
});

/** Runs `stats --interval` and calls `act` after each line until it says that it has seen enough; then un-mounts. */
async function watch(target: string, mountpoint: string, act: (line: Line) => boolean): Promise<number | null> {
  const args = [CLI, '--root', box.root, 'stats', '--server', '--interval', '0.1', '--format', 'json', target];
  const child = spawn(process.execPath, args, { cwd: box.dir, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  let enough = false;
  for await (const text of createInterface({ input: child.stdout })) {
    if (!enough && act(JSON.parse(text) as Line)) {
      enough = true;
      box.ok('umount', mountpoint);
    }
  }
  await ended;
  return child.exitCode;
}

describe.skipIf(gate.skip)(gate.title('veneer stats --server'), () => {
  test('shows what an overlay mount does, until it is un-mounted', async () => {
    for (const name of ['l', 'u', 'w', 'm']) mkdirSync(box.at(name));
    for (let index = 0; index < 20; index += 1) writeFileSync(box.at('l', `file${String(index)}`), 'content');
    box.ok('overlay', '-o', 'lowerdir=l,upperdir=u,workdir=w', 'm');
    let made = 0;
    const seen = new Set<string>();
    const code = await watch('./m', box.at('m'), (line) => {
      expect(line.mountpoint).toBe(box.at('m'));
      expect(line.memory.proportional).toBeGreaterThan(1e6);
      for (const { operation, p99 } of line.operations) {
        seen.add(operation);
        expect(p99).toBeGreaterThan(0);
      }
      made += 1;
      expect(existsSync(box.at('m', `missing${String(made)}`))).toBe(false);
      mkdirSync(box.at('m', `new${String(made)}`));
      readdirSync(box.at('m'));
      return seen.has('MKDIR') && seen.has('LOOKUP') && line.nodes > 20;
    });
    expect(code).toBe(0);
  });

  test('shows a container, once', () => {
    const id = box.ok('create', '--name', 'work', 'base');
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    expect(box.fails(1, 'stats', '--server', 'work')).toContain('container work is not mounted');
    const mountpoint = box.ok('mount', 'work');
    const table = box.ok('container', 'stats', '--server', 'work');
    expect(table).toMatch(/^REQUESTS\/S +NAMES KNOWN +NODES +MEMORY +CPU\n\d+ +/);
    const line = JSON.parse(box.ok('stats', '--server', '--format', 'json', 'work')) as Line;
    expect(line).toMatchObject({ mountpoint });
    expect(line.seconds).toBeGreaterThanOrEqual(1);
    box.ok('umount', 'work');
  });

  test('a mount that took the place of one whose server was killed has its own', () => {
    for (const name of ['l', 'm']) mkdirSync(box.at(name));
    const mount = (): string => box.ok('overlay', '-o', 'lowerdir=l', 'm');
    mount();
    const pid = readdirSync('/proc').find((name) => {
      if (!/^\d+$/.test(name)) return false;
      try {
        return readFileSync(path.join('/proc', name, 'cmdline'), 'latin1')
          .split('\0')
          .includes(box.at('m'));
      } catch {
        return false;
      }
    });
    process.kill(Number(pid), 'SIGKILL');
    box.run('umount', './m');
    mount();
    expect(box.ok('stats', './m')).toContain('REQUESTS/S');
    box.ok('umount', './m');
  });

  test('refuses', () => {
    mkdirSync(box.at('plain'));
    expect(box.fails(1, 'stats', './plain')).toContain('nothing is mounted');
    expect(box.fails(1, 'stats', '--server', 'nobody')).toContain('no such container or mount point: nobody');
    expect(box.fails(1, 'stats', '/proc')).toContain('a mount of another kind (proc)');
    expect(box.fails(2, 'stats', '--server')).toContain('name one container or directory');
    expect(box.fails(2, 'stats', './plain', '--format', 'table')).toContain("--format 'table' is not json");
    box.ok('create', '--name', 'work', 'base');
    box.ok('mount', 'work');
    expect(box.fails(2, 'stats', '--server', 'work', '--interval', '0')).toContain(
      "--interval '0' is not a number of seconds",
    );
  });
});
