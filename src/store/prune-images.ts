// Which images `image prune` removes: Docker's rules.

import type { Digest } from '../core/index.js';
import type { RuntimeConfig } from '../image/index.js';
import type { Image } from './image-rows.js';
import { meetsLabels } from './label-filter.js';
import type { LabelFilter } from './label-filter.js';

export interface PruneImagesOptions {
  /** Also images with a tag. Those in use stay in any case. */
  readonly all?: boolean | undefined;
  /** Only images created before; one without a date stays then. */
  readonly until?: Date | undefined;
  /** Only images that meet all of them. */
  readonly labels?: readonly LabelFilter[] | undefined;
  /** Only says what would be removed. */
  readonly dryRun?: boolean | undefined;
}

export interface PrunedImages {
  /** Names, in canonical form. */
  readonly untagged: readonly string[];
  /** Images and layers. */
  readonly deleted: readonly Digest[];
  /** What that frees, in bytes: the content of layers, and blobs. */
  readonly space: number;
}

export interface Judge {
  readonly options: PruneImagesOptions;
  readonly isUsed: (image: Image) => boolean;
  readonly configOf: (image: Image) => RuntimeConfig;
}

/** Whether an image goes. A name by digest alone does not keep it. */
export function isPrunable(image: Image, { options, isUsed, configOf }: Judge): boolean {
  const { all = false, until, labels = [] } = options;
  if (!all && image.references.length > 0) return false;
  if (until !== undefined && (image.created === undefined || image.created > until)) return false;
  if (isUsed(image)) return false;
  return meetsLabels(labels.length === 0 ? {} : (configOf(image).Labels ?? {}), labels);
}
