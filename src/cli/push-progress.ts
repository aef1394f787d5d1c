// The progress of a push, as docker words it: a line for each layer, by its DiffID, and what became of it.

import { isDigest, shortDigest } from '../core/index.js';
import { familiarName } from '../image/index.js';
import type { Reference } from '../image/index.js';
import type { OnProgress, TransferProgress } from '../transfer/index.js';
import type { ProgressBoard, ProgressLine } from './progress.js';

const ACTIONS: Readonly<Partial<Record<TransferProgress['phase'], string>>> = {
  queued: 'Preparing',
  compressing: 'Compressing',
  pushing: 'Pushing',
};

/** What is said in the end; undefined for what goes on. */
function outcome({ phase, from }: TransferProgress, registry: string): string | undefined {
  switch (phase) {
    case 'done':
      return 'Pushed';
    case 'exists':
      return 'Layer already exists';
    case 'mounted':
      return `Mounted from ${familiarName({ registry, repository: from ?? '' })}`;
    case 'skipped':
      return 'Skipped foreign layer';
    default:
      return undefined;
  }
}

export function showPush(board: ProgressBoard, { registry }: Pick<Reference, 'registry'>): OnProgress {
  const lines = new Map<string, ProgressLine>();
  return (progress) => {
    const { layer, phase, bytes, total } = progress;
    const name = isDigest(layer) ? shortDigest(layer) : layer;
    const line = lines.get(layer) ?? board.line(name);
    lines.set(layer, line);
    const end = outcome(progress, registry);
    if (end === undefined) {
      line.update(ACTIONS[phase] ?? phase, bytes, total);
      return;
    }
    lines.delete(layer);
    line.end();
    board.note(`${name}: ${end}`);
  };
}
