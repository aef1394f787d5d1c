// What long operations tell about how far they are.

/**
 * `queued`: nothing has been done yet. `waiting`: another process has the same thing in work. `verifying`: all of it is here.
 * `exists`: there is nothing to do.
 * `mounted`: the registry has it from another repository. `skipped`: registries do not pass it on.
 */
export type TransferPhase =
  | 'queued'
  | 'downloading'
  | 'verifying'
  | 'reading'
  | 'compressing'
  | 'waiting'
  | 'unpacking'
  | 'keeping'
  | 'writing'
  | 'pushing'
  | 'done'
  | 'exists'
  | 'mounted'
  | 'skipped';

export interface TransferProgress {
  /** What it is about: a layer's digest, or what the whole is called. */
  readonly layer: string;
  readonly phase: TransferPhase;
  /** Bytes done. */
  readonly bytes: number;
  /** Bytes in all, where that is known. */
  readonly total?: number;
  /** Of what is `mounted`: the repository it was in. */
  readonly from?: string;
}

export type OnProgress = (progress: TransferProgress) => void;
