// Two ways to fail: what cannot be measured here, and what was measured and is wrong.

/** This machine, or this build, does not have it: it is left out, and the reason is shown. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
}

/** A backend did not do the work. */
export class Failed extends Error {
  override readonly name = 'Failed';
}
