// Seccomp filters as crun has compiled them. libseccomp takes 14 ms for docker's profile and the three kinds of programs that an x86
// runs; crun takes what it has made before (run.oci.seccomp_bpf_data, crun(1)), and one that does not know that word compiles again.

import { createHash } from 'node:crypto';
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OciSpec } from './spec/oci-spec.js';

const ANNOTATION = 'run.oci.seccomp_bpf_data';

/** struct sock_filter (linux/filter.h). */
const INSTRUCTION = 8;

/** Those of 64 bits, which JSON does not have. */
const numbersAsText = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);

/** Of one crun and a directory that is its user's alone and that no boot outlives. */
export class CompiledFilters {
  readonly #directory: string;
  readonly #program: string;

  constructor(directory: string, program: string) {
    this.#directory = directory;
    this.#program = program;
  }

  /** Everything that a filter depends on: the rules, and who compiles them. */
  #key(spec: OciSpec): string | undefined {
    const { seccomp } = spec.linux;
    if (seccomp === undefined || spec.annotations[ANNOTATION] !== undefined) return undefined;
    const { size, mtimeMs } = statSync(this.#program);
    return createHash('sha256')
      .update(JSON.stringify([seccomp, this.#program, size, mtimeMs], numbersAsText))
      .digest('hex');
  }

  #file(key: string): string {
    return join(this.#directory, `seccomp-${key.slice(0, 10)}`);
  }

  #read(key: string): string | undefined {
    try {
      const [of, filter] = readFileSync(this.#file(key), 'latin1').split('\n');
      return of === key ? filter : undefined;
    } catch {
      return undefined;
    }
  }

  /** The specification with its filter compiled, where that is known. */
  addTo(spec: OciSpec): OciSpec {
    const key = this.#key(spec);
    const filter = key === undefined ? undefined : this.#read(key);
    return filter === undefined ? spec : { ...spec, annotations: { ...spec.annotations, [ANNOTATION]: filter } };
  }

  /** Keeps what the runtime has compiled for a container, from its directory there. */
  keep(spec: OciSpec, state: string): void {
    const key = this.#key(spec);
    if (key === undefined || this.#read(key) !== undefined) return;
    try {
      const filter = readFileSync(join(state, 'seccomp.bpf'));
      if (filter.length === 0 || filter.length % INSTRUCTION !== 0) return;
      // Whole or not at all.
      const path = this.#file(key);
      writeFileSync(`${path}.${String(process.pid)}`, `${key}\n${filter.toString('base64')}\n`, { mode: 0o600 });
      renameSync(`${path}.${String(process.pid)}`, path);
    } catch {
      // Another version may keep it elsewhere: it compiles it each time, then.
    }
  }
}
