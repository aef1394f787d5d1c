// Long work on the main thread lets timers, signals and other work of the process have their turn.

import { setImmediate } from 'node:timers/promises';

/** In milliseconds. */
const MAX_STRETCH = 20;

export class Breaks {
  #last = performance.now();

  /** To be waited for, if there is something to wait for, between two pieces of work. */
  due(): Promise<void> | undefined {
    if (performance.now() - this.#last < MAX_STRETCH) return undefined;
    return this.#take();
  }

  async #take(): Promise<void> {
    await setImmediate();
    this.#last = performance.now();
  }
}
