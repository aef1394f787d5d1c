// The other end of data-actor.mjs: calls made in a process of its own, so that a fault or a hang there is a failure here.

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import path from 'node:path';

const SCRIPT = path.join(import.meta.dirname, 'data-actor.mjs');
const DEADLINE = 30_000;

export interface Answer {
  /** What the call returns, or -errno. */
  readonly value: number;
  /** Base64, of what was read. */
  readonly data?: string;
}

export class DataActor {
  readonly #child: ChildProcess;
  readonly #waiting: { readonly resolve: (answer: Answer) => void; readonly reject: (error: Error) => void }[] = [];
  #output = '';

  constructor() {
    this.#child = spawn(process.execPath, [SCRIPT], { cwd: '/', stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child.stdin!.on('error', () => undefined);
    this.#child.stdout!.setEncoding('latin1').on('data', (chunk: string) => this.#take(chunk));
    this.#child.on('exit', (code, signal) => {
      for (const { reject } of this.#waiting.splice(0))
        reject(new Error(`its process ended: ${String(signal ?? code)}`));
    });
  }

  #take(chunk: string): void {
    const lines = (this.#output + chunk).split('\n');
    this.#output = lines.pop()!;
    for (const line of lines) this.#waiting.shift()?.resolve(JSON.parse(line) as Answer);
  }

  /** Rejects when the process dies of the call, or does not answer in time: it is killed then. */
  async ask(call: string, options: Readonly<Record<string, unknown>>): Promise<Answer> {
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), DEADLINE);
    try {
      return await new Promise((resolve, reject) => {
        if (this.#child.exitCode !== null || this.#child.signalCode !== null) reject(new Error('its process is gone'));
        this.#waiting.push({ resolve, reject });
        this.#child.stdin!.write(`${JSON.stringify({ call, ...options })}\n`);
      });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Resolves when the process is gone, and with it its handles and mappings. */
  async end(): Promise<void> {
    this.#child.kill('SIGKILL');
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    await new Promise((resolve) => this.#child.once('exit', resolve));
  }
}
