import { VeneerError } from '../core/index.js';

/** How hard to compress, as the programs of that name take it. Throws `usage`. */
export function parseLevel(option: string, text: string, compression: 'gzip' | 'zstd'): number {
  const most = compression === 'zstd' ? 19 : 9;
  const value = Number(text);
  if (/^[0-9]+$/.test(text) && value >= 1 && value <= most) return value;
  throw new VeneerError('usage', `${option} '${text}': a level is 1 to 9 for gzip, 1 to 19 for zstd`, {
    hint: `for ${compression}: ${option} 1 to ${option} ${String(most)}`,
  });
}
