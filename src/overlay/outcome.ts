// Steps of an operation, of which some may take long: `after` runs the next one when the one before succeeded,
// at once if that one was quick. Between two steps of which the first took long, anything may have happened.

import type { Outcome } from '../fuse/index.js';

/** Runs `next` if `outcome` is not an error; the error otherwise. */
export function after(outcome: Outcome, next: (value: number) => Outcome): Outcome {
  if (typeof outcome === 'number') return outcome < 0 ? outcome : next(outcome);
  return outcome.then((value) => (value < 0 ? value : next(value)));
}

/** Runs `finish` when `outcome` is known, whatever it is, and passes it on. */
export function finallyDo(outcome: Outcome, finish: (value: number) => void): Outcome {
  if (typeof outcome === 'number') {
    finish(outcome);
    return outcome;
  }
  return outcome.then((value) => {
    finish(value);
    return value;
  });
}
