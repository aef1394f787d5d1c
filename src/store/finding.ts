// What a check of the store can find.

export type FindingKind =
  /** The database itself is damaged. */
  | 'database'
  /** Recorded, but its directory or blob is not there. */
  | 'layer-missing'
  | 'container-missing'
  | 'frozen-missing'
  | 'blob-missing'
  | 'volume-missing'
  /** Its content is not what its digest says, or what the rows say. */
  | 'blob-damaged'
  | 'layer-damaged'
  | 'image-inconsistent'
  /** A layer works, and has lost what its exact tar is made from. */
  | 'skeleton-missing'
  /** There, but not recorded or not needed: `prune` removes it. */
  | 'layer-extra'
  | 'layer-unused'
  | 'container-extra'
  | 'frozen-extra'
  | 'volume-extra'
  | 'blob-extra'
  | 'staging-leftover'
  | 'lease-stale'
  /** A commit that a dead process began: the next use of the container finishes it. */
  | 'container-unfinished';

export interface Finding {
  readonly kind: FindingKind;
  /** The ID, digest or name concerned. */
  readonly object: string;
  /** A sentence without a full stop. */
  readonly message: string;
}

/** Whether the finding is harmless: a leftover that costs space only. */
export function isLeftover(finding: Finding): boolean {
  switch (finding.kind) {
    case 'layer-extra':
    case 'layer-unused':
    case 'container-extra':
    case 'frozen-extra':
    case 'volume-extra':
    case 'blob-extra':
    case 'staging-leftover':
    case 'lease-stale':
    case 'container-unfinished':
      return true;
    default:
      return false;
  }
}
