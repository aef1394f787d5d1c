// The machine and the versions that the figures belong to.

import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Backend } from './backends.js';
import { firstLine } from './shell.js';

export interface Machine {
  readonly processor: string;
  readonly cpus: number;
  readonly memoryMiB: number;
  readonly virtualization: string;
  readonly kernel: string;
  /** Of the scratch directory: type, device, mount options. */
  readonly filesystem: string;
  readonly overlayDefaults: Readonly<Record<string, string>>;
  readonly loadAverage: number;
  readonly commit: string;
  readonly versions: Readonly<Record<string, string>>;
}

/** How each program of the workloads says its version. */
const TOOLS: Readonly<Record<string, readonly string[]>> = {
  tar: ['--version'],
  cp: ['--version'],
  find: ['--version'],
  fio: ['--version'],
  git: ['--version'],
  gcc: ['--version'],
  make: ['--version'],
  npm: ['--version'],
  dpkg: ['--version'],
  '/usr/bin/python3': ['--version'],
};

function overlayDefaults(): Record<string, string> {
  const dir = '/sys/module/overlay/parameters';
  try {
    return Object.fromEntries(
      readdirSync(dir).map((name) => [name, readFileSync(path.join(dir, name), 'utf8').trim()]),
    );
  } catch {
    // Not loaded, or without parameters.
    return {};
  }
}

function output(file: string, args: readonly string[]): string {
  try {
    return execFileSync(file, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return 'unknown';
  }
}

export function describeMachine(scratch: string, backends: readonly Backend[]): Machine {
  const versions: Record<string, string> = { node: process.version };
  for (const backend of backends) {
    const version = backend.version?.();
    if (version !== undefined) versions[backend.name] = version;
  }
  for (const [tool, args] of Object.entries(TOOLS)) {
    const version = firstLine(tool, args);
    if (version !== undefined) versions[path.basename(tool)] = version;
  }
  const project = path.resolve(import.meta.dirname, '../..');
  const changed = output('git', ['-C', project, 'status', '--porcelain', '--untracked-files=no', '--', 'src']) !== '';
  return {
    processor: os.cpus()[0]?.model.trim() ?? 'unknown',
    cpus: os.cpus().length,
    memoryMiB: Math.round(os.totalmem() / 2 ** 20),
    virtualization: output('systemd-detect-virt', ['--vm']),
    kernel: `${os.release()} ${os.version()}`,
    filesystem: output('findmnt', ['-n', '-o', 'FSTYPE,SOURCE,OPTIONS', '-T', scratch]).replace(/ +/g, ' '),
    overlayDefaults: overlayDefaults(),
    loadAverage: os.loadavg()[0] ?? 0,
    commit: `${output('git', ['-C', project, 'rev-parse', '--short', 'HEAD'])}${changed ? ' with changes' : ''}`,
    versions,
  };
}
