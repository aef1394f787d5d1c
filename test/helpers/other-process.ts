// Work in other processes: programs with a deadline, and a shell that stays and answers, one command after the other.

import { spawn } from 'node:child_process';
import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';
import path from 'node:path';

export interface ProgramResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end; one that takes longer than `timeout` is killed and throws. */
export async function run(
  file: string,
  args: readonly string[],
  options: SpawnOptions & { timeout?: number; input?: string } = {},
): Promise<ProgramResult> {
  const { timeout = 60_000, input = '', ...rest } = options;
  const child = spawn(file, args, { ...rest, stdio: ['pipe', 'pipe', 'pipe'] });
  const text = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('latin1').on('data', (chunk: string) => (text[stream] += chunk));
  }
  child.stdin.on('error', () => undefined).end(input);
  return await new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`${file} ${args.join(' ')}: not done after ${String(timeout)} ms`));
    }, timeout);
    child.on('error', reject);
    child.on('close', (status) => {
      clearTimeout(timer);
      resolve({ status: status ?? -1, ...text });
    });
  });
}

/** As `run`, and the program must succeed; its output. */
export async function runWell(
  file: string,
  args: readonly string[],
  options: Parameters<typeof run>[2] = {},
): Promise<string> {
  const result = await run(file, args, options);
  if (result.status !== 0)
    throw new Error(`${file} ${args.join(' ')}: exit ${String(result.status)}: ${result.stderr}`);
  return result.stdout;
}

const END = '---end---';

/** A shell in a process of its own. */
export class OtherProcess {
  readonly #child: ChildProcess;
  #output = '';
  #wake: () => void = () => undefined;

  constructor(cwd: string) {
    this.#child = spawn('sh', [], { cwd, stdio: ['pipe', 'pipe', 'ignore'] });
    this.#child.stdout!.setEncoding('latin1').on('data', (chunk: string) => {
      this.#output += chunk;
      this.#wake();
    });
  }

  /** Output of a command, without the last newline, once it is done. */
  async ask(command: string, timeout = 10_000): Promise<string> {
    this.#output = '';
    this.#child.stdin!.write(`${command}\necho ${END}\n`);
    const deadline = Date.now() + timeout;
    while (!this.#output.includes(END)) {
      if (Date.now() >= deadline) throw new Error(`the other process hangs at: ${command}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.max(1, deadline - Date.now()));
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return this.#output.slice(0, this.#output.indexOf(END)).replace(/\n$/, '');
  }

  /** Resolves when the process is gone: only then it holds no directory any more. */
  async end(): Promise<void> {
    this.#child.kill('SIGKILL');
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    await new Promise((resolve) => this.#child.once('exit', resolve));
  }
}

/** Whether a process has opened something below a directory, perhaps a file without a name. */
export function holds(pid: number, directory: string): boolean {
  const fds = `/proc/${String(pid)}/fd`;
  return readdirSync(fds).some((fd) => {
    try {
      return readlinkSync(path.join(fds, fd)).startsWith(directory);
    } catch {
      return false; // closed meanwhile
    }
  });
}
