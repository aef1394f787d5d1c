// Runs programs and scripts to their end. Everything is synchronous: the benchmark itself sleeps in the kernel meanwhile.

import { spawnSync } from 'node:child_process';
import { Failed } from './failure.js';
import { PRELUDE } from './prelude.js';

export type Environment = Readonly<Record<string, string>>;

export interface Call {
  readonly cwd?: string;
  readonly env?: Environment;
  /** Milliseconds. */
  readonly timeout?: number;
  readonly input?: string | Buffer;
}

/** A hundred times what the work takes in a plain directory: what takes longer, or hangs, must not hold up the rest. */
const TIMEOUT = 4 * 60_000;

/** Runs a program; returns its standard output. Throws Failed with the last line of standard error. */
export function run(file: string, args: readonly string[], call: Call = {}): string {
  const child = spawnSync(file, args, {
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'pipe'],
    maxBuffer: 1 << 29,
    timeout: call.timeout ?? TIMEOUT,
    killSignal: 'SIGKILL',
    input: call.input ?? '',
    env: { ...process.env, LC_ALL: 'C', ...call.env },
    ...(call.cwd === undefined ? {} : { cwd: call.cwd }),
  });
  if (child.error !== undefined) throw new Failed(`${nameOf(file)}: ${reasonOf(child.error)}`);
  if (child.status === 0) return child.stdout;
  const said = child.stderr.trim().split('\n').at(-1) ?? '';
  const how = child.signal === null ? `exit code ${String(child.status)}` : `signal ${child.signal}`;
  throw new Failed(`${nameOf(file)}: ${how}${said === '' ? '' : `: ${said}`}`);
}

const nameOf = (file: string): string => (file === 'bash' ? 'script' : file);

function reasonOf(error: NodeJS.ErrnoException): string {
  return error.code === 'ETIMEDOUT' ? `no end after ${String(TIMEOUT / 60_000)} minutes` : error.message;
}

/** Runs a bash script, with the functions of the prelude. */
export function script(text: string, call: Call = {}): string {
  return run('bash', ['-c', `${PRELUDE}\n${text}`], call);
}

/** Whether a program is there; `which` without a process. */
export function has(program: string): boolean {
  return spawnSync('bash', ['-c', `type -P ${program}`], { stdio: 'ignore' }).status === 0;
}

export function firstLine(file: string, args: readonly string[]): string | undefined {
  const child = spawnSync(file, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return child.status === 0 ? child.stdout.split('\n')[0] : undefined;
}
