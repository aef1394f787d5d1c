// Signals by the names and numbers people write (signal(7)).

import { constants } from 'node:os';
import { VeneerError } from '../core/index.js';

/** As glibc numbers them: the first two are its own. */
const SIGRTMIN = 34;
const SIGRTMAX = 64;

/** The number of `TERM`, `SIGTERM`, `15`, `RTMIN+3`. Throws `invalid`. */
export function parseSignal(text: string): number {
  if (/^[0-9]{1,2}$/.test(text) && Number(text) >= 1 && Number(text) <= SIGRTMAX) return Number(text);
  const name = text.toUpperCase().replace(/^SIG/, '');
  const known = constants.signals[`SIG${name}` as NodeJS.Signals] as number | undefined;
  if (known !== undefined) return known;
  const [, base, sign = '+', offset = '0'] = /^RT(MIN|MAX)(?:([+-])([0-9]{1,2}))?$/.exec(name) ?? [];
  const number =
    base === undefined ? 0 : (base === 'MIN' ? SIGRTMIN : SIGRTMAX) + (sign === '-' ? -1 : 1) * Number(offset);
  if (number >= SIGRTMIN && number <= SIGRTMAX) return number;
  throw new VeneerError('invalid', `'${text}' is not a signal`, { hint: 'write TERM, SIGTERM, 15, RTMIN+3' });
}
