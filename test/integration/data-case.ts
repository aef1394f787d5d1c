// Cases of the data exerciser: files in all layers, a history from a seed, and where it is played.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { AT_FDCWD, O_DIRECTORY, O_RDONLY, close, must, openat, syncfs } from '../../src/sys/index.js';
import { mountStaged, overlayDoor, stage } from '../helpers/backends.js';
import type { BackendKind, Layers, Mounted } from '../helpers/backends.js';
import { file, link } from '../helpers/layer-spec.js';
import type { LayerNode, LayerSpec } from '../helpers/layer-spec.js';
import { mountsBelow } from '../helpers/tmp.js';
import { Content, difference, pattern } from './data-model.js';
import type { FileModel } from './data-model.js';
import type { Operation } from './data-operations.js';
import { DataPlayer } from './data-player.js';

export interface Variant {
  readonly kind: Exclude<BackendKind, 'kernel'>;
  readonly passthrough?: 'auto' | 'all' | 'off';
  readonly keptAbove: number;
}

/** 'plain' shows that the model is right. */
export const VARIANTS: Readonly<Record<string, Variant>> = {
  plain: { kind: 'plain', keptAbove: Infinity },
  // Smaller files are read through the kernel's own pages, which show what is written.
  auto: { kind: 'veneer', passthrough: 'auto', keptAbove: 128 << 10 },
  'all through passthrough': { kind: 'veneer', passthrough: 'all', keptAbove: -1 },
  'none through passthrough': { kind: 'veneer', passthrough: 'off', keptAbove: Infinity },
};

type Origin = 'lower' | 'suid' | 'linked' | 'sparse' | 'upper' | 'merged';

/** In the order of their use. A file that has setuid is written through the server, whatever the kernel allows. */
const ORIGINS: readonly Origin[] = [
  ...(['lower', 'suid', 'upper', 'linked', 'sparse', 'lower', 'merged', 'lower'] as const),
  ...(['linked', 'suid', 'lower', 'sparse', 'upper', 'linked', 'lower', 'lower'] as const),
];
const FILES = ORIGINS.map((origin, index) => {
  const name = `${origin}-${String(index)}`;
  // Short and long ones in turn.
  const written = pattern(index, 5000 + ((index * 30_011) % 90_000) + 95_000 * (index % 2));
  const names = origin === 'linked' ? [name, `${name}-too`] : [name];
  const content = origin === 'sparse' ? Buffer.concat([written.subarray(0, 30_000)], written.length) : written;
  return { origin, names, written, content, settled: origin === 'upper' || origin === 'merged' };
});

function layerOf(wanted: 'lower' | 'upper'): LayerSpec {
  const nodes = FILES.flatMap(
    ({ origin, names: [name, second], written, content, settled }): [string, LayerNode | string][] => {
      if (wanted === 'lower' && settled) return origin === 'merged' ? [[name!, 'hidden']] : [];
      if (wanted === 'upper') return settled ? [[name!, file(written)]] : [];
      if (origin === 'sparse') return [[name!, file(written.subarray(0, 30_000), { size: content.length })]];
      const first: [string, LayerNode] = [name!, file(written, { mode: origin === 'suid' ? 0o4755 : 0o644 })];
      return second === undefined ? [first] : [first, [second, link(name!)]];
    },
  );
  return Object.fromEntries(nodes);
}

const LAYERS: Layers = { lower: [layerOf('lower')], upper: layerOf('upper') };

const makeFiles = (): FileModel[] =>
  FILES.map(({ names, content, settled }) => ({ names, content: new Content(content), lower: !settled, settled }));

const hashOf = (name: string): string => createHash('sha256').update(readFileSync(name)).digest('hex');
const hashes = (dir: string): string[] =>
  FILES.filter(({ settled }) => !settled).map(({ names }) => hashOf(path.join(dir, names[0]!)));

/** Page cache, names and inodes, of the whole machine. */
const dropCaches = (): void => writeFileSync('/proc/sys/vm/drop_caches', '3');

const TOLD = 25;
const TRIES = 50;

/** Plays a history below `base`, an empty directory. Throws where something differs: its message ends with the last operations. */
export async function playHistory(base: string, variant: Variant, history: readonly Operation[]): Promise<void> {
  mkdirSync(base, { recursive: true, mode: 0o755 });
  const { kind, keptAbove, ...options } = variant;
  const staged = stage(base, LAYERS, kind);
  const before = staged.lowers.map(hashes);
  let mounted: Mounted | undefined = await mountStaged(kind, staged, options);
  const files = makeFiles();
  const remount = async (): Promise<void> => {
    await mounted?.unmount();
    mounted = undefined;
    const lowers = [...frozen.directories, ...staged.lowers];
    mounted = await mountStaged(kind, { ...staged, lowers }, { ...options, frozen: frozen.directories.length });
  };
  const frozen = new FrozenFiles(base);
  const freeze = async (): Promise<void> => {
    if (kind === 'veneer') await frozen.freeze(staged.mountpoint, files);
  };
  const player = new DataPlayer({ root: staged.mountpoint, files, keptAbove, remount, drop: dropCaches, freeze });
  const done: string[] = [];
  try {
    player.verify(files);
    for (const next of history) {
      done.push(JSON.stringify(next));
      done[done.length - 1] = await player.play(next);
    }
    await player.play({ op: 'remount' });
    await mounted.unmount();
    mounted = undefined;
    if (JSON.stringify(staged.lowers.map(hashes)) !== JSON.stringify(before))
      throw new Error('a lower file was changed');
    frozen.verify();
    if (kind === 'veneer') verifyUpper(staged.upper!, files);
  } catch (error) {
    const told = done.slice(-TOLD).map((line, index) => `${String(Math.max(0, done.length - TOLD) + index)} ${line}`);
    throw new Error(
      `${(error as Error).message}\nafter ${String(done.length)} operations, the last of them\n${told.join('\n')}`,
      { cause: error },
    );
  } finally {
    await player.end();
    // After a failure nothing may be mounted any more.
    if (mounted !== undefined && mountsBelow(base).length > 0) await mounted.unmount();
  }
}

/** What was frozen, and stays as it was. */
class FrozenFiles {
  /** Top first. */
  readonly directories: string[] = [];
  readonly #base: string;
  readonly #contents = new Map<string, string>();

  constructor(base: string) {
    this.#base = base;
  }

  async freeze(mountpoint: string, files: readonly FileModel[]): Promise<void> {
    const directory = path.join(this.#base, `frozen-${String(this.directories.length)}`);
    const fd = must(openat(AT_FDCWD, mountpoint, O_RDONLY | O_DIRECTORY), 'open', mountpoint);
    must(syncfs(fd), 'syncfs', mountpoint);
    close(fd);
    await (await overlayDoor()).freezeOverlay(mountpoint, { frozen: directory });
    this.directories.unshift(directory);
    for (const { names, content } of files) {
      const name = names.map((one) => path.join(directory, one)).find((one) => existsSync(one));
      if (name === undefined) continue;
      const wrong = difference(content.shown, readFileSync(name));
      if (wrong !== undefined) throw new Error(`frozen ${name}: ${wrong}`);
      this.#contents.set(name, hashOf(name));
    }
  }

  verify(): void {
    for (const [name, hash] of this.#contents) if (hashOf(name) !== hash) throw new Error(`${name} was changed`);
  }
}

function verifyUpper(upper: string, files: readonly FileModel[]): void {
  for (const { content, lower, names } of files) {
    if (lower) continue;
    // Of two names, only the one that was used may have come.
    const name = names.find((one) => existsSync(path.join(upper, one)))!;
    const wrong = difference(content.shown, readFileSync(path.join(upper, name)));
    if (wrong !== undefined) throw new Error(`${name} in the upper: ${wrong}`);
  }
}

/**
 * A failing history made as small as it gets in some fifty tries, each on fresh layers: operations are dropped as long as
 * it goes on failing.
 */
export async function shrinkHistory(
  base: string,
  variant: Variant,
  failing: readonly Operation[],
): Promise<readonly Operation[]> {
  let smallest = failing;
  let tries = 0;
  const fails = async (history: readonly Operation[]): Promise<boolean> => {
    tries += 1;
    return playHistory(path.join(base, String(tries)), variant, history).then(
      () => false,
      () => true,
    );
  };
  for (let size = Math.ceil(failing.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < smallest.length && tries < TRIES;) {
      const smaller = [...smallest.slice(0, at), ...smallest.slice(at + size)];
      if (await fails(smaller)) smallest = smaller;
      else at += size;
    }
  }
  return smallest;
}
