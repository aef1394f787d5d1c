// Inode numbers as users see them: unique in the mount and the same after every re-mount. On one file system
// they are the real ones; with several, the file system's index goes into the high bits, as overlayfs's xino does.

import type { Stat } from '../sys/index.js';

/** Bits 56 to 62 carry the index; real numbers that reach there are folded. */
const INDEX_SHIFT = 24;
const HIGH_MASK = (1 << INDEX_SHIFT) - 1;

export class InoMap {
  readonly #devices = new Map<number, number>();

  /** The layers' devices in a fixed order, so that indexes are the same at every mount of the same layers. */
  constructor(devices: readonly number[]) {
    for (const device of devices) this.#index(device);
  }

  #index(device: number): number {
    let index = this.#devices.get(device);
    if (index === undefined) {
      index = this.#devices.size;
      this.#devices.set(device, index);
    }
    return index;
  }

  /** Writes the number for a real file into `target`. */
  assign(stat: Stat, target: { inoLow: number; inoHigh: number }): void {
    const index = this.#index(stat.dev);
    target.inoLow = stat.inoLow;
    if (index === 0) {
      target.inoHigh = stat.inoHigh;
      return;
    }
    const folded =
      stat.inoHigh > HIGH_MASK ? (stat.inoHigh ^ (stat.inoHigh >>> INDEX_SHIFT)) & HIGH_MASK : stat.inoHigh;
    target.inoHigh = folded | ((index & 0x7f) << INDEX_SHIFT);
  }

  /** The identity of a real file, for hard links. */
  key(stat: Stat): string {
    return `${String(stat.dev)}:${String(stat.inoHigh)}:${String(stat.inoLow)}`;
  }
}
