// What a check is: a tree per layer, and what must happen on the file system made of them.

import type { LayerSpec } from '../helpers/layer-spec.js';
import type { BackendKind } from '../helpers/backends.js';
import type { Ctx } from './ctx.js';

export interface Check {
  /** Unique in its family. */
  readonly name: string;
  /** Top first; default none. */
  readonly lower?: readonly LayerSpec[];
  readonly upper?: LayerSpec;
  /** Where it can be run at all; everywhere unless told. Something that answers differently belongs into deviations.ts. */
  readonly on?: readonly BackendKind[];
  readonly run: (ctx: Ctx) => void;
}

/** The same layers for a lower, an upper and a merged origin of whatever the check works on. */
export const ORIGINS = ['lower', 'upper', 'merged'] as const;
export type Origin = (typeof ORIGINS)[number];
