// What a container takes on disk.

import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { hasCode } from '../core/index.js';
import type { Store } from '../store/index.js';
import { committedLayers } from './view.js';

export interface ContainerSize {
  /** Of the files in its writable layer, in bytes. */
  readonly writable: number;
  /** Of the layers below: its image's, and those committed since. */
  readonly layers: number;
}

const SLASH = Buffer.from('/');

/**
 * Bytes below a directory: hard links once, and of files with holes what is on disk (a file whose attributes alone were
 * copied up is one hole). What is removed meanwhile does not count.
 */
function sizeOfTree(directory: string): number {
  const seen = new Set<string>();
  let total = 0;
  // Names are bytes.
  const waiting = [Buffer.from(directory)];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    try {
      for (const entry of readdirSync(at, { withFileTypes: true, encoding: 'buffer' })) {
        const path = Buffer.concat([at, SLASH, entry.name]);
        if (entry.isDirectory()) waiting.push(path);
        else if (entry.isFile()) {
          const { size, blocks, nlink, dev, ino } = lstatSync(path);
          const key = `${String(dev)}:${String(ino)}`;
          if (nlink > 1 && seen.has(key)) continue;
          if (nlink > 1) seen.add(key);
          total += Math.min(size, blocks * 512);
        }
      }
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
    }
  }
  return total;
}

/** Throws `not-found`. */
export function containerSize(store: Store, reference: string): ContainerSize {
  const record = store.containers.resolve(reference);
  const layers = [...store.images.get(record.image).layers, ...committedLayers(record)];
  return {
    writable: sizeOfTree(join(store.containers.directory(record.id), 'upper')),
    layers: layers.reduce((sum, id) => sum + store.layers.get(id).size, 0),
  };
}
