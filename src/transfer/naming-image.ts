// Whose the failure is: an image's parts have digests, which say little to people.

import { VeneerError } from '../core/index.js';
import { familiarName, familiarReference } from '../image/index.js';
import type { Reference } from '../image/index.js';

/** Runs `act`; what it throws says which image it is about. */
export async function namingImage<Result>(reference: Reference, act: () => Promise<Result>): Promise<Result> {
  try {
    return await act();
  } catch (error) {
    const isNamed = !(error instanceof VeneerError) || error.message.includes(familiarName(reference));
    if (isNamed) throw error;
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    throw new VeneerError(error.code, `${familiarReference(reference)}: ${error.message}`, { cause: error, ...hint });
  }
}
