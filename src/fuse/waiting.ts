// How to wait for the next request. A client waits for two wake-ups: ours, when its request comes, and its own, when the answer
// does. Each costs tens of microseconds where the processor has gone to sleep, most of all in a virtual machine, and
// that is more than the whole work of most requests. So as long as requests come one after the other:
//
// - we ask the device again for a while before we sleep, and let others on this processor go first (sched_yield);
// - the kernel is asked to keep idle processors from sleeping, where that is possible (`CpuLatency`).
//
// An idle server does neither.

/** What is asked of the processors. */
export interface Latency {
  readonly lower: () => void;
  readonly restore: () => void;
}

/** For how many milliseconds to ask: about the time a wake-up takes, where processors sleep. */
const PATIENT = 0.1;
/** Where they do not. */
const PATIENT_AWAKE = 0.03;
/** After this many fruitless rounds, only one round in PROBE_EVERY asks. */
const FRUITLESS = 4;
const PROBE_EVERY = 8;

/** Requests come quickly if there are BURST of them in WINDOW milliseconds: then waking takes a part of the time worth saving. */
const BURST = 20;
const WINDOW = 4;

const FOR_EVER = -1;

export class Waiting {
  readonly #latency: Latency | undefined;
  readonly #now: () => number;
  #fruitless = 0;
  #skipped = 0;
  /** Since `#start`. */
  #requests = 0;
  #start = 0;
  #awake = false;

  constructor(latency: Latency | undefined, now: () => number = () => performance.now()) {
    this.#latency = latency;
    this.#now = now;
  }

  /** For how many milliseconds to ask the device before sleeping. */
  patience(): number {
    const patience = this.#awake ? PATIENT_AWAKE : PATIENT;
    if (this.#fruitless < FRUITLESS) return patience;
    this.#skipped += 1;
    if (this.#skipped < PROBE_EVERY) return 0;
    this.#skipped = 0;
    return patience;
  }

  /** A request came while we asked. */
  rewarded(): void {
    this.#fruitless = 0;
  }

  /** None came. */
  wasted(): void {
    this.#fruitless += 1;
  }

  /** A request was taken. */
  taken(): void {
    this.#requests += 1;
    if (this.#latency !== undefined && this.#requests >= BURST) this.#judge();
  }

  /** For how many milliseconds to sleep at most, before `taken` or `slept`; -1 for ever. */
  sleep(): number {
    if (this.#awake && this.#now() - this.#start >= WINDOW) this.#judge();
    return this.#awake ? WINDOW : FOR_EVER;
  }

  /** Sleeping took as long as was said. */
  slept(): void {
    this.#set(false);
  }

  /** The end of a window, or BURST requests: whether they came quickly. */
  #judge(): void {
    const now = this.#now();
    this.#set(this.#requests >= BURST && now - this.#start <= WINDOW);
    this.#requests = 0;
    this.#start = now;
  }

  #set(awake: boolean): void {
    if (awake === this.#awake) return;
    this.#awake = awake;
    if (awake) this.#latency?.lower();
    else this.#latency?.restore();
  }
}
