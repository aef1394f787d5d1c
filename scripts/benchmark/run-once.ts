// One run of one workload on one backend: prepare, mount, time, check, un-mount, remove.

import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { unmount } from './backends.js';
import type { Backend, Stage } from './backends.js';
import { mountsBelow, processorTime, serversOf } from './mount-table.js';
import { run, script } from './shell.js';
import type { Environment } from './shell.js';
import { runTimed } from './timed.js';
import type { Workload } from './workload.js';

export interface RunOptions {
  readonly workload: Workload;
  readonly backend: Backend;
  readonly lowers: readonly string[];
  readonly scratch: string;
  readonly env: Environment;
  /** Whether the dearer checks are made, too. */
  readonly verify: boolean;
}

export interface Sample {
  readonly seconds: number;
  /** Of the server process, where there is one. */
  readonly serverSeconds?: number;
  /** What the check said. */
  readonly checked: string;
  /** What it said again, and the dearer one, on the next mount. */
  readonly verified?: string;
}

/** An empty stage for one run. */
export function makeStage(
  scratch: string,
  lowers: readonly string[],
  kind: { readonly readOnly: boolean; readonly writes: boolean },
): Stage {
  const at = (name: string): string => path.join(scratch, 'run', name);
  for (const name of ['upper', 'work', 'mount', 'out', 'warm']) mkdirSync(at(name), { recursive: true, mode: 0o755 });
  return {
    scratch,
    lowers,
    ...(kind.readOnly ? {} : { upper: at('upper') }),
    work: at('work'),
    mountpoint: at('mount'),
    writes: kind.writes,
  };
}

/** Un-mounts and removes it, whatever state it is in. */
export function removeStage({ scratch, mountpoint }: Stage): void {
  // After a failure only: a mount that is in use, or whose server is dead or hangs.
  for (const mount of mountsBelow(mountpoint).reverse()) run('umount', ['-f', '-l', mount]);
  rmSync(path.join(scratch, 'run'), { recursive: true, force: true });
}

const flush = (scratch: string): void => void run('sync', ['-f', scratch]);
const dropCaches = (): void => void script('echo 3 >/proc/sys/vm/drop_caches');

/** Reads the layers from below, not through a mount. */
function warmLayers(dirs: readonly string[]): void {
  for (const dir of new Set(dirs)) script('find "$DIR" -type f -exec cat {} + >/dev/null', { env: { DIR: dir } });
}

/** Throws Failed if a step fails. */
export function runOnce({ workload, backend, lowers, scratch, env, verify }: RunOptions): Sample {
  const stage = makeStage(scratch, lowers, {
    readOnly: workload.readOnly === true,
    writes: workload.writes === true,
  });
  try {
    const cwd = backend.mount(stage);
    const out = path.join(scratch, 'run/out');
    const timed = { tools: workload.tools, clock: workload.clock, cwd, env };
    const work = { ...timed, text: backend.idle === true ? ':' : workload.run, repeat: workload.repeat ?? 1 };
    if (workload.before !== undefined) script(workload.before, { cwd, env: { ...env, OUT: out } });
    if (workload.start !== 'cold') warmLayers(cwd === stage.mountpoint ? lowers : [cwd]);
    if (workload.start === 'warm') runTimed({ ...work, repeat: 1, out: path.join(scratch, 'run/warm') });
    flush(scratch);
    if (workload.start === 'cold') dropCaches();
    const servers = serversOf(stage.mountpoint);
    const before = processorTime(servers);
    const seconds = runTimed({ ...work, out });
    const used = processorTime(servers) - before;
    const checked = script(workload.check, { cwd, env: { ...env, OUT: out } });
    unmount(stage);
    const sample = { seconds, checked, ...(servers.length === 0 ? {} : { serverSeconds: used }) };
    if (!verify) return sample;
    // On a mount of its own: what counts is on disk, and not only in some cache.
    const again = backend.mount(stage);
    const text = `(${workload.check})\n(${workload.verify ?? ':'})`;
    const verified = script(text, { cwd: again, env: { ...env, OUT: out } });
    unmount(stage);
    return { ...sample, verified };
  } finally {
    removeStage(stage);
    flush(scratch);
  }
}
