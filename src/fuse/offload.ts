// Work that takes long, done by other threads, so that the thread that answers the kernel does not wait for it, nor
// short work for long work. A thread is started when all others are busy. Completions come back through shared memory
// and an eventfd, because the first thread sleeps in poll(2) and not in an event loop.

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

/** As many jobs are done at a time; the others wait. A disk gets no faster by more. */
const MAX_THREADS = 4;

/** What the worker is started with. */
export interface OffloadSetup {
  /** One Int32 per slot: 0 while its job is pending, 1 when done. */
  readonly flags: SharedArrayBuffer;
  /** One Float64 per slot: the outcome, >= 0 or -errno. */
  readonly results: SharedArrayBuffer;
  readonly wakeFd: number;
}

export interface OffloadRequest {
  readonly slot: number;
  readonly job: Job;
}

interface Thread {
  readonly worker: Worker;
  /** Settles the job it does; undefined while it is idle. */
  resolve: ((result: number) => void) | undefined;
}

export class Offload {
  /** Readable when a job has ended. */
  readonly wakeFd: number;
  /** One per thread, which does one job at a time. */
  readonly #flags = new Int32Array(new SharedArrayBuffer(MAX_THREADS * 4));
  readonly #results = new Float64Array(new SharedArrayBuffer(MAX_THREADS * 8));
  readonly #threads: Thread[] = [];
  readonly #queue: { job: Job; resolve: (result: number) => void }[] = [];
  readonly #counter = Buffer.alloc(8);

  constructor() {
    this.wakeFd = must(eventfd(), 'eventfd');
  }

  /** Jobs not ended yet. */
  get pending(): number {
    return this.#queue.length + this.#threads.filter((thread) => thread.resolve !== undefined).length;
  }

  /** Does a job; its result is >= 0 or -errno. Jobs may end in any order. */
  run(job: Job): Promise<number> {
    return new Promise((resolve) => {
      this.#queue.push({ job, resolve });
      this.#start();
    });
  }

  #start(): void {
    while (this.#queue.length > 0) {
      const thread = this.#threads.find(({ resolve }) => resolve === undefined) ?? this.#newThread();
      if (thread === undefined) return;
      const { job, resolve } = this.#queue.shift() as { job: Job; resolve: (result: number) => void };
      const slot = this.#threads.indexOf(thread);
      Atomics.store(this.#flags, slot, 0);
      thread.resolve = resolve;
      const request: OffloadRequest = { slot, job };
      thread.worker.postMessage(request);
    }
  }

  #newThread(): Thread | undefined {
    if (this.#threads.length === MAX_THREADS) return undefined;
    const setup: OffloadSetup = {
      flags: this.#flags.buffer,
      results: this.#results.buffer,
      wakeFd: this.wakeFd,
    };
    const worker = new Worker(new URL('./offload-worker.js', import.meta.url), { workerData: setup });
    worker.unref();
    const thread = { worker, resolve: undefined };
    this.#threads.push(thread);
    return thread;
  }

  /** Settles the promises of all jobs that have ended; true if there were any. */
  collect(): boolean {
    // Cleared before looking: a job that ends after that rings again.
    read(this.wakeFd, this.#counter);
    let any = false;
    for (const [slot, thread] of this.#threads.entries()) {
      const { resolve } = thread;
      if (resolve === undefined || Atomics.load(this.#flags, slot) === 0) continue;
      thread.resolve = undefined;
      resolve(this.#results[slot] ?? 0);
      any = true;
    }
    if (any) this.#start();
    return any;
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
    close(this.wakeFd);
  }
}
