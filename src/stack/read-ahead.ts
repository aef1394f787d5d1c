// Reading ahead in deep stacks: of a name that is in many layers, the disk may hold each directory somewhere else. Once the first
// ones turn out not to be in memory, other threads ask for the rest while we go on.

import { entryPath, touchAside } from '../sys/index.js';
import { OPAQUE_MARKER } from '../whiteout/index.js';
import type { RealDir } from './real-dir.js';

/** After so many parts it is decided; with fewer than so many more, it is not worth it. */
const SAMPLE = 4;
const WORTHWHILE = 8;
/** Milliseconds a part takes at least that is not in memory; in memory a tenth of that is usual. */
const FROM_DISK = 0.06;
/** libuv's default number of threads. */
const THREADS = 4;

/** One search for a name, part by part. */
export class ReadAhead {
  readonly #parts: readonly RealDir[];
  readonly #name: string;
  readonly #sample: number;
  readonly #start: number;

  /** `from` is the part the search begins at. */
  constructor(parts: readonly RealDir[], name: string, from: number) {
    this.#parts = parts;
    this.#name = name;
    const worthwhile = parts.length - from >= SAMPLE + WORTHWHILE;
    this.#sample = worthwhile ? from + SAMPLE : -1;
    this.#start = worthwhile ? performance.now() : 0;
  }

  /** To be called before each part is searched. */
  before(index: number): void {
    if (index !== this.#sample || performance.now() - this.#start < SAMPLE * FROM_DISK) return;
    const paths: string[][] = Array.from({ length: THREADS }, () => []);
    for (const [at, part] of this.#parts.slice(index).entries()) {
      const dirfd = part.fd();
      // What lies in a directory, also if it is nothing, is known once the directory itself and its content are read.
      if (dirfd >= 0) paths[at % THREADS]!.push(entryPath(dirfd, `${this.#name}/${OPAQUE_MARKER}`));
    }
    for (const some of paths) touchAside(some);
  }
}
