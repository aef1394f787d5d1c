// Work that takes long, done by a second thread, so that the thread that answers the kernel does not wait for it.
// The second thread is started when first needed. Completions come back through shared memory and an eventfd,
// because the first thread sleeps in poll(2) and not in an event loop.

import { Worker } from 'node:worker_threads';
import { close, eventfd, must, read } from '../sys/index.js';

/** A system call, or a series of them, that may take long. Offsets and lengths are in bytes. */
export type Job =
  | { readonly kind: 'copy'; readonly from: number; readonly to: number; readonly size: number }
  | {
      readonly kind: 'copy-range';
      readonly from: number;
      readonly offsetFrom: number;
      readonly to: number;
      readonly offsetTo: number;
      readonly length: number;
    }
  | {
      readonly kind: 'fallocate';
      readonly fd: number;
      readonly mode: number;
      readonly offset: number;
      readonly length: number;
    }
  | { readonly kind: 'fsync' | 'fdatasync' | 'syncfs'; readonly fd: number };

/** How many jobs may be in flight. */
const SLOTS = 256;

/** What the worker is started with. */
export interface OffloadSetup {
  /** One Int32 per slot: 0 while pending, 1 when done. */
  readonly flags: SharedArrayBuffer;
  /** One Float64 per slot: the outcome, >= 0 or -errno. */
  readonly results: SharedArrayBuffer;
  readonly wakeFd: number;
}

export interface OffloadRequest {
  readonly slot: number;
  readonly job: Job;
}

export class Offload {
  /** Readable when a job has ended. */
  readonly wakeFd: number;
  readonly #flags = new Int32Array(new SharedArrayBuffer(SLOTS * 4));
  readonly #results = new Float64Array(new SharedArrayBuffer(SLOTS * 8));
  readonly #free = Array.from({ length: SLOTS }, (_, index) => SLOTS - 1 - index);
  readonly #waiting = new Map<number, (result: number) => void>();
  readonly #queue: { job: Job; resolve: (result: number) => void }[] = [];
  readonly #counter = Buffer.alloc(8);
  #worker: Worker | undefined;

  constructor() {
    this.wakeFd = must(eventfd(), 'eventfd');
  }

  /** Jobs not ended yet. */
  get pending(): number {
    return this.#waiting.size + this.#queue.length;
  }

  /** Does a job; its result is >= 0 or -errno. */
  run(job: Job): Promise<number> {
    return new Promise((resolve) => {
      this.#queue.push({ job, resolve });
      this.#start();
    });
  }

  #start(): void {
    while (this.#queue.length > 0 && this.#free.length > 0) {
      const slot = this.#free.pop()!;
      const next = this.#queue.shift() as { job: Job; resolve: (result: number) => void };
      Atomics.store(this.#flags, slot, 0);
      this.#waiting.set(slot, next.resolve);
      const request: OffloadRequest = { slot, job: next.job };
      this.#thread().postMessage(request);
    }
  }

  #thread(): Worker {
    if (this.#worker === undefined) {
      const setup: OffloadSetup = {
        flags: this.#flags.buffer,
        results: this.#results.buffer,
        wakeFd: this.wakeFd,
      };
      this.#worker = new Worker(new URL('./offload-worker.js', import.meta.url), { workerData: setup });
      this.#worker.unref();
    }
    return this.#worker;
  }

  /** Settles the promises of all jobs that have ended; true if there were any. */
  collect(): boolean {
    let any = false;
    for (const [slot, resolve] of this.#waiting) {
      if (Atomics.load(this.#flags, slot) === 0) continue;
      this.#waiting.delete(slot);
      this.#free.push(slot);
      resolve(this.#results[slot] ?? 0);
      any = true;
    }
    if (any) {
      read(this.wakeFd, this.#counter);
      this.#start();
    }
    return any;
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
    close(this.wakeFd);
  }
}
