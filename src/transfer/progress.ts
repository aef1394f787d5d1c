// What long operations tell about how far they are.

/** `waiting`: another process unpacks the same layer. */
export type TransferPhase =
  'reading' | 'compressing' | 'waiting' | 'unpacking' | 'keeping' | 'writing' | 'done' | 'exists';

export interface TransferProgress {
  /** What it is about: a layer's digest, or what the whole is called. */
  readonly layer: string;
  readonly phase: TransferPhase;
  /** Bytes done. */
  readonly bytes: number;
  /** Bytes in all, where that is known. */
  readonly total?: number;
}

export type OnProgress = (progress: TransferProgress) => void;
