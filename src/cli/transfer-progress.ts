// The progress of layers that come and go: a line for each.

import { isDigest, shortDigest } from '../core/index.js';
import type { OnProgress, TransferPhase } from '../transfer/index.js';
import type { ProgressBoard, ProgressLine } from './progress.js';

const ACTIONS: Readonly<Record<Exclude<TransferPhase, 'done' | 'exists'>, string>> = {
  queued: 'Queued',
  reading: 'Reading',
  waiting: 'Waiting for another process',
  unpacking: 'Unpacking',
  keeping: 'Keeping',
  compressing: 'Compressing',
  writing: 'Writing',
  pushing: 'Pushing',
  mounted: 'Mounted',
  skipped: 'Skipped',
};

export function showTransfer(board: ProgressBoard): OnProgress {
  const lines = new Map<string, ProgressLine>();
  return ({ layer, phase, bytes, total }) => {
    const line = lines.get(layer) ?? board.line(isDigest(layer) ? shortDigest(layer) : layer);
    lines.set(layer, line);
    if (phase !== 'done' && phase !== 'exists') {
      line.update(ACTIONS[phase], bytes, total);
      return;
    }
    lines.delete(layer);
    line.end(phase === 'exists' ? 'Already exists' : undefined);
  };
}
