// SHA-256 by another thread. Node's own hash objects work on the thread that calls them; the OpenSSL inside Node can be called
// from any, and Node exports its functions for addons to use (OpenSSL's EVP_DigestInit(3)).

import { Digester, parseDigest } from '../core/index.js';
import type { Digest } from '../core/index.js';
import { bindOwn, bindOwnAside } from './libc.js';

interface Evp {
  readonly create: () => unknown;
  readonly update: (context: unknown, bytes: Uint8Array, length: number) => unknown;
  readonly updateAside: (context: unknown, bytes: Uint8Array, length: number) => Promise<number>;
  readonly finish: (context: unknown, into: Uint8Array) => void;
  readonly free: (context: unknown) => void;
}

let evp: Evp | undefined | 'missing';

function loadEvp(): Evp | undefined {
  evp ??= bindEvp() ?? 'missing';
  return evp === 'missing' ? undefined : evp;
}

/** Undefined in a Node that was built without exported symbols. */
function bindEvp(): Evp | undefined {
  try {
    const newContext = bindOwn('void *EVP_MD_CTX_new()');
    const sha256 = bindOwn('void *EVP_sha256()');
    const init = bindOwn('int EVP_DigestInit_ex(void *, void *, void *)');
    const final = bindOwn('int EVP_DigestFinal_ex(void *, void *, void *)');
    const free = bindOwn('void EVP_MD_CTX_free(void *)');
    return {
      create() {
        const context = newContext();
        if (context === null || init(context, sha256(), null) !== 1) throw new Error('OpenSSL has no SHA-256');
        return context;
      },
      update: bindOwn('int EVP_DigestUpdate(void *, void *, size_t)'),
      updateAside: bindOwnAside('int EVP_DigestUpdate(void *, void *, size_t)'),
      finish: (context, into) => void final(context, into, null),
      free: (context) => void free(context),
    };
  } catch {
    return undefined;
  }
}

/** Shorter chunks take longer to hand over than to hash. */
const MIN_ASIDE = 16 * 1024;
/** Bytes that may wait to be hashed before `ready` says to wait. */
const MAX_PENDING = 2 << 20;

/**
 * Hashes a stream of chunks beside what the caller does with them. Chunks must not be changed until they are hashed. To be
 * disposed of, or asked for its digest.
 */
export class DigesterAside implements Disposable {
  readonly #evp = loadEvp();
  /** Where there is no other way. */
  readonly #here = this.#evp === undefined ? new Digester() : undefined;
  readonly #context = this.#evp?.create();
  readonly #queue: Uint8Array[] = [];
  #pending = 0;
  #size = 0;
  #busy = false;
  #disposed = false;
  #waiting: { readonly below: number; readonly resolve: () => void }[] = [];

  /** Bytes taken so far. */
  get size(): number {
    return this.#size;
  }

  update(chunk: Uint8Array): void {
    this.#size += chunk.length;
    if (this.#evp === undefined) {
      this.#here?.update(chunk);
      return;
    }
    this.#queue.push(chunk);
    this.#pending += chunk.length;
    if (!this.#busy) this.#work(this.#evp);
  }

  /** One chunk after the other: each goes on from what the one before has made. */
  #work(native: Evp): void {
    for (let chunk = this.#queue.shift(); chunk !== undefined; chunk = this.#queue.shift()) {
      const { length } = chunk;
      if (length >= MIN_ASIDE) {
        this.#busy = true;
        void native.updateAside(this.#context, chunk, length).then(() => {
          this.#busy = false;
          this.#done(length);
          if (this.#disposed) native.free(this.#context);
          else this.#work(native);
        });
        return;
      }
      native.update(this.#context, chunk, length);
      this.#done(length);
    }
  }

  #done(length: number): void {
    this.#pending -= length;
    if (this.#waiting.length === 0) return;
    const met = this.#waiting.filter(({ below }) => this.#pending < below);
    this.#waiting = this.#waiting.filter(({ below }) => this.#pending >= below);
    for (const { resolve } of met) resolve();
  }

  #until(below: number): Promise<void> | undefined {
    if (this.#pending < below) return undefined;
    return new Promise((resolve) => this.#waiting.push({ below, resolve }));
  }

  /** To be waited for, if there is something to wait for, before the next chunk: so memory stays bounded. */
  ready(): Promise<void> | undefined {
    return this.#until(MAX_PENDING);
  }

  /** To be waited for, if there is something to wait for, before chunks that were handed over may be changed. */
  settled(): Promise<void> | undefined {
    return this.#until(1);
  }

  /** May be asked for once, after the last `update`. */
  async digest(): Promise<Digest> {
    if (this.#here !== undefined) return this.#here.digest();
    await this.settled();
    if (this.#disposed) throw new Error('a digester that was given up has no digest');
    const bytes = Buffer.alloc(32);
    this.#evp?.finish(this.#context, bytes);
    this[Symbol.dispose]();
    return parseDigest(`sha256:${bytes.toString('hex')}`);
  }

  /** Gives up what is not hashed yet. Harmless after `digest`. */
  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const { resolve } of this.#waiting.splice(0)) resolve();
    // A thread at work still uses it.
    if (!this.#busy) this.#evp?.free(this.#context);
  }
}
