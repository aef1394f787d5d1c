// The built program as a child process, with a store of its own.

import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'vitest';
import { runProgram } from './requires.js';
import { tempDir } from './tmp.js';

/** The built program, or that of another build. */
export const CLI = path.resolve(
  import.meta.dirname,
  '../..',
  process.env['VENEER_TEST_DIST'] ?? 'dist',
  'program/veneer.cjs',
);

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly input?: string | Buffer;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** Runs `veneer` with these arguments to its end. */
export function runCli(args: readonly string[], options: CliOptions = {}): CliResult {
  const { input, env, cwd } = options;
  const child = spawnSync(process.execPath, [CLI, ...args], {
    encoding: 'utf8',
    timeout: 60_000,
    maxBuffer: 1 << 28,
    input: input ?? '',
    env: { ...process.env, ...env },
    ...(cwd === undefined ? {} : { cwd }),
  });
  if (child.error !== undefined) throw child.error;
  return { code: child.status, stdout: child.stdout, stderr: child.stderr };
}

/** A `veneer` that runs while this process goes on: what it talks to may be here. */
export interface RunningCli {
  readonly child: ChildProcess;
  /** What it has written until now. */
  readonly output: { stdout: string; stderr: string };
  /** Resolves at its end; one that takes longer than a minute is killed. A signal counts 128 more, as in a shell. */
  readonly ended: Promise<CliResult>;
}

/** Starts `veneer` with these arguments. */
export function startCli(args: readonly string[], options: CliOptions = {}): RunningCli {
  const { input, env, cwd } = options;
  const child = spawn(process.execPath, [CLI, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: 60_000,
    killSignal: 'SIGKILL',
    env: { ...process.env, ...env },
    ...(cwd === undefined ? {} : { cwd }),
  });
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => (output[stream] += text));
  }
  // It may end without having read all.
  child.stdin.on('error', () => undefined).end(input ?? '');
  const ended = new Promise<CliResult>((resolve, reject) => {
    child.once('error', reject).once('close', (code, signal) => {
      resolve({ code: signal === null ? code : 128 + os.constants.signals[signal], ...output });
    });
  });
  return { child, output, ended };
}

/** A store and a directory for one test. */
export interface Sandbox extends Disposable {
  readonly dir: string;
  readonly root: string;
  /** A path in the directory. */
  at(...names: string[]): string;
  run(...args: string[]): CliResult;
  /** As `run`, while this process goes on. */
  start(args: readonly string[], options?: CliOptions): RunningCli;
  /** Runs a command that must succeed without a word on stderr, and returns its stdout without the last newline. */
  ok(...args: string[]): string;
  /** Runs a command that must fail with this code; returns stderr. Nothing may be on stdout. */
  fails(code: number, ...args: string[]): string;
  /** A tar of a tree: path -> content; a path that ends in `/` is a directory, `-> x` as content a symlink. */
  tar(name: string, tree: Readonly<Record<string, string>>): string;
  /** The store must be in order. */
  check(): void;
}

function writeTree(dir: string, tree: Readonly<Record<string, string>>): void {
  for (const [name, content] of Object.entries(tree)) {
    const file = path.join(dir, name);
    mkdirSync(name.endsWith('/') ? file : path.dirname(file), { recursive: true });
    if (content.startsWith('-> ')) runProgram('ln', ['-s', content.slice(3), file]);
    else if (!name.endsWith('/')) writeFileSync(file, content);
  }
}

/** A tree that is enough for most tests. */
export const SMALL_TREE = {
  'etc/hosts': '127.0.0.1 localhost\n',
  'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\n',
  'usr/share/doc/a/README': 'a\n',
  'usr/share/doc/b/README': 'b\n',
  'usr/bin/tool': '#!/bin/sh\n',
  bin: '-> usr/bin',
  'tmp/': '',
} as const;

export function sandbox(label = 'e2e'): Sandbox {
  const temp = tempDir(label);
  const root = path.join(temp.path, 'store');
  const at = (...names: string[]): string => path.join(temp.path, ...names);
  // Who runs the tests may be logged in somewhere.
  const env = { VENEER_ROOT: root, DOCKER_CONFIG: at('docker') };
  const run = (...args: string[]): CliResult => runCli(args, { env, cwd: temp.path });
  const self: Sandbox = {
    dir: temp.path,
    root,
    at,
    run,
    start: (args, options = {}) =>
      startCli(args, { cwd: temp.path, ...options, env: { VENEER_ROOT: root, ...options.env } }),
    ok(...args) {
      const result = run(...args);
      expect({ ...result, args }).toMatchObject({ code: 0, stderr: '' });
      return result.stdout.replace(/\n$/, '');
    },
    fails(code, ...args) {
      const result = run(...args);
      expect({ ...result, args }).toMatchObject({ code, stdout: '' });
      expect(result.stderr).toMatch(/^veneer: [^\n]+\n( {2}hint: [^\n]+\n)?$/);
      return result.stderr;
    },
    tar(name, tree) {
      const dir = at(`${name}.d`);
      mkdirSync(dir);
      writeTree(dir, tree);
      const file = at(name);
      runProgram('tar', ['-C', dir, '--sort=name', '--mtime=@1700000000', '-cf', file, '.']);
      return file;
    },
    check() {
      expect(run('system', 'check')).toMatchObject({ code: 0, stdout: '' });
    },
    [Symbol.dispose]() {
      run('umount', '--all');
      temp.remove();
    },
  };
  return self;
}

/** A sandbox with the image `base` of SMALL_TREE. */
export function sandboxWithBase(label?: string): Sandbox {
  const box = sandbox(label);
  box.ok('import', box.tar('base.tar', SMALL_TREE), 'base');
  return box;
}
