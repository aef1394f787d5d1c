// A further process in a running container, watched by a conmon of its own: it outlives whoever started it.

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Duplex, Readable } from 'node:stream';
import { findConmon, programEnvironment } from './conmon.js';
import { encodeSpec } from './spec/encode-spec.js';
import type { OciProcess } from './spec/oci-spec.js';
import { startError } from './start-error.js';

export interface ExecRequest {
  /** The container. */
  readonly id: string;
  readonly name: string;
  /** Its directory in the run directory. */
  readonly directory: string;
  /** What starts conmon, if not we. */
  readonly through: readonly string[];
  /** What tells conmon how to call the runtime. */
  readonly runtime: readonly string[];
  readonly process: OciProcess;
  readonly terminal: boolean;
  readonly stdin: boolean;
  /** Nobody is attached, and what it writes is lost. */
  readonly detached: boolean;
}

interface Answer {
  readonly data: number;
  readonly message: string;
}

/** What the file descriptors of conmon are: the environment says so (conmon, src/conmon.c). */
const PIPES = { _OCI_SYNCPIPE: '3', _OCI_STARTPIPE: '4', _OCI_ATTACHPIPE: '5' } as const;

export class Exec {
  readonly #request: ExecRequest;
  readonly #directory: string;
  readonly #conmon: ChildProcess;
  readonly #answers: AsyncIterator<string>;
  readonly #complaints: Promise<string>;

  private constructor(request: ExecRequest, directory: string) {
    this.#request = request;
    this.#directory = directory;
    const attached = request.detached ? [] : (['pipe', 'pipe'] as const);
    const [file = '', ...args] = [...request.through, findConmon(), ...conmonArguments(request, directory)];
    this.#conmon = spawn(file, args, {
      cwd: directory,
      stdio: ['ignore', 'ignore', 'pipe', 'pipe', ...attached],
      env: { ...programEnvironment(), ...(request.detached ? { _OCI_SYNCPIPE: PIPES._OCI_SYNCPIPE } : PIPES) },
    });
    this.#conmon.once('error', () => undefined);
    this.#complaints = textOf(pipeOf(this.#conmon, 2));
    this.#answers = linesOf(pipeOf(this.#conmon, 3));
  }

  /** Makes everything ready: the process is made by `start`. Throws `StartError`. */
  static async prepare(request: ExecRequest): Promise<Exec> {
    const directory = join(request.directory, `exec-${randomBytes(4).toString('hex')}`);
    mkdirSync(directory, { mode: 0o700 });
    writeFileSync(join(directory, 'process.json'), encodeSpec(request.process), { mode: 0o600 });
    const exec = new Exec(request, directory);
    try {
      if (!request.detached) await exec.#listening();
    } catch (error) {
      exec.#remove();
      throw error;
    }
    return exec;
  }

  get attachSocket(): string {
    return join(this.#directory, 'attach');
  }

  get controlFifo(): string {
    return join(this.#directory, 'ctl');
  }

  /** conmon may begin, and says when somebody can attach. */
  async #listening(): Promise<void> {
    this.#go();
    const first = await linesOf(pipeOf(this.#conmon, 5)).next();
    if (first.done === true) throw this.#failure(await this.#complaints);
  }

  #go(): void {
    const pipe = pipeOf(this.#conmon, 4);
    pipe.on('error', () => undefined);
    pipe.write('\0');
  }

  /** Starts the process; resolves to its number on the host. Throws `StartError`. */
  async start(): Promise<number> {
    if (!this.#request.detached) this.#go();
    const { data, message } = await this.#answer();
    if (data > 0) return data;
    this.#remove();
    throw this.#failure(message);
  }

  /** Its exit code, when it has ended: 137 where its conmon was killed. */
  async wait(): Promise<number> {
    const { data } = await this.#answer();
    this.#remove();
    return data < 0 ? 137 : data;
  }

  /** Leaves it alone, instead of waiting: nothing holds up the end of this program. */
  release(): void {
    this.#remove();
    for (const pipe of this.#conmon.stdio) pipe?.destroy();
    this.#conmon.unref();
  }

  async #answer(): Promise<Answer> {
    const line = await this.#answers.next();
    if (line.done === true) return { data: -1, message: await this.#complaints };
    const { data, pid, message = '' } = JSON.parse(line.value) as { data?: number; pid?: number; message?: string };
    return { data: data ?? pid ?? -1, message };
  }

  #failure(complaint: string): Error {
    const { name, process } = this.#request;
    return startError(`run a command in container ${name}`, complaint, process.args[0]);
  }

  #remove(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

function conmonArguments(request: ExecRequest, directory: string): string[] {
  const { id, name, terminal, stdin, detached } = request;
  return [
    ...['--api-version', '1', '--cid', id, '--cuuid', id, '--name', name, '--bundle', directory],
    ...request.runtime,
    ...['--container-pidfile', join(directory, 'pidfile'), '--full-attach', '--no-sync-log', '--log-path', 'off'],
    ...['--exec', '--exec-process-spec', join(directory, 'process.json'), ...(detached ? [] : ['--exec-attach'])],
    ...(terminal ? ['--terminal'] : stdin ? ['--stdin'] : []),
  ];
}

/** Pipes of Node's are sockets: all of them go both ways. */
function pipeOf({ stdio }: ChildProcess, fd: number): Duplex {
  return (stdio as readonly unknown[])[fd] as Duplex;
}

function linesOf(pipe: Readable): AsyncIterator<string> {
  // It may have ended without anybody asking.
  pipe.on('error', () => undefined);
  return createInterface({ input: pipe })[Symbol.asyncIterator]();
}

async function textOf(pipe: Readable): Promise<string> {
  let text = '';
  for await (const chunk of pipe) text += String(chunk);
  return text;
}
