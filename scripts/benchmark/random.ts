// Numbers that look random and are the same in every run, so that two runs of the benchmark make the same trees.

export type Random = () => number;

/** mulberry32: uniform in [0, 1). */
export function randomFrom(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const below = (random: Random, limit: number): number => Math.floor(random() * limit);

const WORDS = 'layer upper lower name node inode mount whiteout opaque merge index link stat open read write'.split(
  ' ',
);

/** Lines of words, about as compressible as source text. */
export function text(random: Random, bytes: number): string {
  let written = '';
  while (written.length < bytes) {
    written += `${WORDS[below(random, WORDS.length)]!}${String(below(random, 1000))}${random() < 0.1 ? '\n' : ' '}`;
  }
  return `${written.slice(0, Math.max(0, bytes - 1))}${bytes > 0 ? '\n' : ''}`;
}
