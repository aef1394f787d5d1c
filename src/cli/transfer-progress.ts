// The progress of layers that come and go: a line for each.

import { isDigest, shortDigest } from '../core/index.js';
import type { OnProgress, TransferPhase } from '../transfer/index.js';
import type { ProgressBoard, ProgressLine } from './progress.js';

/** What is said of each phase; nothing is said of an end without a word. */
export type TransferWords = Readonly<Record<TransferPhase, string | undefined>>;

const WORDS: TransferWords = {
  queued: 'Queued',
  downloading: 'Downloading',
  verifying: 'Verifying',
  reading: 'Reading',
  waiting: 'Waiting for another process',
  unpacking: 'Unpacking',
  keeping: 'Keeping',
  compressing: 'Compressing',
  writing: 'Writing',
  pushing: 'Pushing',
  done: undefined,
  exists: 'Already exists',
  mounted: 'Mounted',
  skipped: 'Skipped',
};

/** docker's words for the layers of a pull. */
export const PULLING: TransferWords = {
  ...WORDS,
  queued: 'Pulling fs layer',
  verifying: 'Verifying Checksum',
  unpacking: 'Extracting',
  done: 'Pull complete',
};

const ENDS: ReadonlySet<TransferPhase> = new Set(['done', 'exists', 'mounted', 'skipped']);
/** Phases that are no matter of bytes. */
const WITHOUT_FIGURES: ReadonlySet<TransferPhase> = new Set(['queued', 'waiting', 'verifying']);

export function showTransfer(board: ProgressBoard, words: TransferWords = WORDS): OnProgress {
  const lines = new Map<string, ProgressLine>();
  return ({ layer, phase, bytes, total }) => {
    const line = lines.get(layer) ?? board.line(isDigest(layer) ? shortDigest(layer) : layer);
    lines.set(layer, line);
    if (ENDS.has(phase)) {
      lines.delete(layer);
      line.end(words[phase]);
    } else if (WITHOUT_FIGURES.has(phase)) {
      line.update(words[phase] ?? '', 0);
    } else {
      line.update(words[phase] ?? '', bytes, total);
    }
  };
}
