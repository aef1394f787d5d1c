// A stack of layer directories, opened: what a mount, a diff or a commit looks at.

import { LayerDir } from './layer-dir.js';
import type { Merged } from './lookup.js';
import { RealDir, closeDirectories, reopenDirectories } from './real-dir.js';

export interface Stack {
  readonly layers: readonly LayerDir[];
  /** The merged root. */
  readonly root: Merged;
  /** Puts an opened layer on top, to be written from now on; the one that was there keeps its content from now on. */
  freeze(top: LayerDir, root: RealDir): void;
  close(): void;
}

export interface StackOptions {
  /** How many of the layers, from the top, are to be written. */
  readonly writable?: number;
  /** How many of those below them were writable once. */
  readonly frozen?: number;
  /** True unless told. */
  readonly followsRedirects?: boolean;
  /** Opened before: the root of what the layers lie on, which stays its owner's to close. */
  readonly onto?: Merged;
}

/** Opens the layer directories `paths`, top first. Throws a SysError for one that cannot be opened. */
export function openStack(paths: readonly string[], options: StackOptions = {}): Stack {
  const { writable = 0, frozen = 0, followsRedirects = true, onto = [] } = options;
  const layers: LayerDir[] = [];
  try {
    for (const path of paths) {
      layers.push(new LayerDir(path, layers.length, layers.length < writable ? 'plain' : 'read-only'));
    }
  } catch (error) {
    for (const layer of layers) layer.close();
    throw error;
  }
  let root = [...layers.map((layer) => new RealDir(layer)), ...onto];
  layers.forEach((layer, index) => {
    layer.below = root.slice(index + 1);
    layer.followsRedirects = followsRedirects;
    layer.frozen = index >= writable && index < writable + frozen;
  });
  return {
    layers,
    get root() {
      return root;
    },
    freeze(top, topRoot) {
      const [old] = layers;
      if (old !== undefined) {
        old.frozen = true;
        old.protect();
        reopenDirectories(old);
      }
      top.below = root;
      top.followsRedirects = followsRedirects;
      layers.unshift(top);
      root = [topRoot, ...root];
      for (const [index, layer] of layers.entries()) layer.index = index;
    },
    close() {
      for (const layer of layers) {
        closeDirectories(layer);
        layer.close();
      }
    },
  };
}

export interface StackPair extends Disposable {
  readonly now: Merged;
  readonly before: Merged;
}

/**
 * Opens two stacks (top first) that share the layers they have in common from the bottom up. No others: what a layer shows
 * depends on those below it, where its redirects lead. Throws a SysError.
 */
export function openStacks(now: readonly string[], before: readonly string[]): StackPair {
  let common = 0;
  while (common < Math.min(now.length, before.length) && now.at(-1 - common) === before.at(-1 - common)) common += 1;
  const one = openStack(now);
  try {
    const other = openStack(before.slice(0, before.length - common), {
      onto: one.root.slice(now.length - common),
    });
    return {
      now: one.root,
      before: other.root,
      [Symbol.dispose]: () => {
        other.close();
        one.close();
      },
    };
  } catch (error) {
    one.close();
    throw error;
  }
}
