// Giving memory back. While the server sleeps in poll(2) no garbage collection happens by itself, so after the kernel
// has forgotten most of a large tree, one is asked for.

/** Below this many nodes there is nothing worth collecting: a node takes some 500 bytes. */
const WORTHWHILE = 20_000;

/** A full garbage collection, which also returns pages to the system. What it needs is loaded by then: most mounts are small. */
function collectGarbage(): void {
  const v8 = process.getBuiltinModule('node:v8');
  const vm = process.getBuiltinModule('node:vm');
  v8.setFlagsFromString('--expose-gc');
  const collect = vm.runInNewContext('gc') as () => void;
  collect();
}

export class MemoryReturn {
  readonly #count: () => number;
  readonly #collect: () => void;
  #peak = 0;

  /** `count` tells how many nodes there are. */
  constructor(count: () => number, collect = collectGarbage) {
    this.#count = count;
    this.#collect = collect;
  }

  /** To be called when there is nothing to do: collects if half of the nodes are gone since they were most. */
  idle(): void {
    const count = this.#count();
    this.#peak = Math.max(this.#peak, count);
    if (this.#peak < WORTHWHILE || count > this.#peak / 2) return;
    this.#peak = count;
    this.#collect();
  }
}
