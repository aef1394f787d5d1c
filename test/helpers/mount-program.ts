// Mount programs driven by their command line, ours and fuse-overlayfs, over layers in directories that a shell script
// makes: for options of which fuse-overlayfs is the oracle.

import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { mountsBelow, tempDir } from './tmp.js';
import type { TempDir } from './tmp.js';
import { run, runWell } from './other-process.js';
import type { ProgramResult } from './other-process.js';
import { CLI } from './run-cli.js';

export type MountProgram = 'veneer' | 'fuse-overlayfs';

const COMMANDS: Readonly<Record<MountProgram, readonly [string, ...string[]]>> = {
  veneer: [process.execPath, CLI, 'overlay'],
  'fuse-overlayfs': ['fuse-overlayfs'],
};

/** Directories `l`, `u`, `w`, `m` below one of their own, the layers filled by scripts that run in them. */
export class MountLab implements Disposable {
  readonly temp: TempDir;
  readonly program: MountProgram;

  constructor(label: string, program: MountProgram = 'veneer') {
    this.temp = tempDir(label);
    this.program = program;
    for (const name of ['l', 'u', 'w', 'm']) mkdirSync(this.at(name), { mode: 0o755 });
  }

  at(...names: string[]): string {
    return path.join(this.temp.path, ...names);
  }

  /** Runs a shell script in one of the directories; it must succeed. Returns its output. */
  async in(dir: string, script: string): Promise<string> {
    return await runWell('sh', ['-eu', '-c', script], { cwd: this.at(dir) });
  }

  /** Mounts with these options (`lowerdir`, `upperdir`, `workdir` are added unless given). */
  async tryMount(options: string): Promise<ProgramResult> {
    const [file, ...args] = COMMANDS[this.program];
    const own = options.includes('lowerdir=')
      ? ''
      : `lowerdir=${this.at('l')},upperdir=${this.at('u')},workdir=${this.at('w')}`;
    const list = [options, own].filter((part) => part !== '').join(',');
    return await run(file, [...args, '-o', list, this.at('m')], { cwd: this.temp.path });
  }

  async mount(options: string): Promise<void> {
    const { status, stderr } = await this.tryMount(options);
    if (status !== 0) throw new Error(`${this.program} -o ${options}: exit ${String(status)}: ${stderr}`);
    if (mountsBelow(this.temp.path).length === 0) throw new Error(`${this.program} -o ${options}: nothing is mounted`);
  }

  async unmount(): Promise<void> {
    if (this.program === 'veneer') {
      await runWell(process.execPath, [CLI, 'umount', this.at('m')]);
      return;
    }
    await runWell('umount', [this.at('m')]);
    // Its server may still write for a moment.
    await sleep(100);
  }

  /** Mounts, runs a script in the mount, un-mounts; returns the script's output. */
  async on(options: string, script: string): Promise<string> {
    await this.mount(options);
    try {
      return await this.in('m', script);
    } finally {
      await this.unmount();
    }
  }

  [Symbol.dispose](): void {
    this.temp.remove();
  }
}
