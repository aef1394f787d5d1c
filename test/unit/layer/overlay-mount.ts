// Kernel overlayfs as the maker of upper directories, and as the oracle of what a stack of layers shows.

import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { look, temporary } from './tree.js';
import type { Seen } from './tree.js';

function sh(script: string, cwd: string): string {
  return execFileSync('sh', ['-ec', script], { cwd, stdio: ['ignore', 'pipe', 'pipe'] }).toString();
}

/** A directory filled by a script that runs in it. */
export function made(script: string): string {
  const directory = temporary();
  sh(script, directory);
  return directory;
}

function mounted<T>(options: string, use: (mountpoint: string) => T): T {
  const mountpoint = temporary();
  execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', options, mountpoint]);
  try {
    return use(mountpoint);
  } finally {
    execFileSync('umount', [mountpoint]);
  }
}

/**
 * Runs `change` in a writable mount over `lower` (top first). Returns its upper directory and what the mount showed.
 * Without an index, which would keep some names of a linked file outside of the upper directory.
 */
export function changed(
  lower: readonly string[],
  change: string | ((mountpoint: string) => void),
): { upper: string; seen: Record<string, Seen> } {
  const base = temporary();
  const [upper, work] = [path.join(base, 'upper'), path.join(base, 'work')];
  mkdirSync(upper);
  mkdirSync(work);
  sh(`chmod --reference='${lower[0]!}' upper; touch -r '${lower[0]!}' upper`, base);
  const options = `lowerdir=${lower.join(':')},upperdir=${upper},workdir=${work},redirect_dir=on,metacopy=on,index=off`;
  const seen = mounted(options, (mountpoint) => {
    if (typeof change === 'string') sh(change, mountpoint);
    else change(mountpoint);
    return look(mountpoint);
  });
  onTestFinished(() => void execFileSync('rm', ['-rf', base]));
  return { upper, seen };
}

/** What a read-only mount of layers (top first) shows. */
export function shown(layers: readonly string[]): Record<string, Seen> {
  if (layers.length === 1) return look(layers[0]!);
  return mounted(`lowerdir=${layers.join(':')},redirect_dir=follow,metacopy=on`, look);
}
