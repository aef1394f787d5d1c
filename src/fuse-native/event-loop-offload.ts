// Work left to other threads by a thread that lives in an event loop, and so cannot sleep on the eventfd.

import { Offload } from '../fuse/index.js';
import type { Job } from '../fuse/index.js';

/** Milliseconds between looks at work that goes on. */
const LOOK_AGAIN = 1;

/** Takes up by itself what the other threads have done. */
export class EventLoopOffload extends Offload {
  #timer: NodeJS.Timeout | undefined;

  override run(job: Job): Promise<number> {
    const result = super.run(job);
    this.#timer ??= setInterval(() => {
      this.collect();
      if (this.pending > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    }, LOOK_AGAIN);
    return result;
  }
}
