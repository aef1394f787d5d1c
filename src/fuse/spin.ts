// How long to poll the device before going to sleep. Waking a sleeping thread costs the client tens of
// microseconds, most of all across virtual CPUs; asking again costs us half a microsecond. So it pays to ask for
// a while after a request, as long as that keeps being rewarded, and not to ask at all when idle.

/** Tries before sleeping: about the time a wake-up takes. */
const TRIES = 100;
/** After this many fruitless rounds, only one round in PROBE_EVERY polls. */
const PATIENCE = 4;
const PROBE_EVERY = 8;

export class SpinBudget {
  #fruitless = 0;
  #skipped = 0;

  /** How often to ask now. */
  tries(): number {
    if (this.#fruitless < PATIENCE) return TRIES;
    this.#skipped += 1;
    if (this.#skipped < PROBE_EVERY) return 0;
    this.#skipped = 0;
    return TRIES;
  }

  /** Polling found a request before its tries ran out. */
  rewarded(): void {
    this.#fruitless = 0;
  }

  /** Polling ran out. */
  wasted(): void {
    this.#fruitless += 1;
  }
}
