// A stack of layer directories, opened: what a mount, a diff or a commit looks at.

import { LayerDir } from './layer-dir.js';
import type { Merged } from './lookup.js';
import { RealDir, closeDirectories } from './real-dir.js';

export interface Stack {
  readonly layers: readonly LayerDir[];
  /** The merged root. */
  readonly root: Merged;
  close(): void;
}

export interface StackOptions {
  /** How many of the layers, from the top, are to be written. */
  readonly writable?: number;
  /** True unless told. */
  readonly followsRedirects?: boolean;
}

/** Opens the layer directories `paths`, top first. Throws a SysError for one that cannot be opened. */
export function openStack(paths: readonly string[], options: StackOptions = {}): Stack {
  const { writable = 0, followsRedirects = true } = options;
  const layers: LayerDir[] = [];
  try {
    for (const path of paths) {
      layers.push(new LayerDir(path, layers.length, layers.length < writable ? 'plain' : 'read-only'));
    }
  } catch (error) {
    for (const layer of layers) layer.close();
    throw error;
  }
  const root = layers.map((layer) => new RealDir(layer));
  layers.forEach((layer, index) => {
    layer.below = root.slice(index + 1);
    layer.followsRedirects = followsRedirects;
  });
  return {
    layers,
    root,
    close() {
      for (const layer of layers) {
        closeDirectories(layer);
        layer.close();
      }
    },
  };
}
