// A pull as docker shows it.

import { familiarReference } from '../image/index.js';
import type { Reference } from '../image/index.js';
import type { OnProgress, PulledImage } from '../transfer/index.js';
import type { ProgressBoard } from './progress.js';
import { PULLING, showTransfer } from './transfer-progress.js';

/** What is pulled is named when the registry has it, not before. */
export class PullProgress {
  readonly #board: ProgressBoard;
  readonly #show: OnProgress;
  #unnamed: Reference | undefined;

  constructor(board: ProgressBoard) {
    this.#board = board;
    this.#show = showTransfer(board, PULLING);
  }

  begin(reference: Reference): void {
    this.#unnamed = reference;
  }

  readonly onProgress: OnProgress = (progress) => {
    this.found();
    this.#show(progress);
  };

  /** Also where no layer was to be pulled. */
  found(): void {
    if (this.#unnamed === undefined) return;
    const { repository, tag, digest } = this.#unnamed;
    this.#unnamed = undefined;
    this.#board.note(`${digest ?? tag ?? ''}: Pulling from ${repository}`);
  }
}

export function digestLine({ digest }: Pick<PulledImage, 'digest'>): string {
  return `Digest: ${digest}`;
}

export function statusLine({ reference, isNew }: Pick<PulledImage, 'reference' | 'isNew'>): string {
  const called = familiarReference(reference);
  return isNew ? `Status: Downloaded newer image for ${called}` : `Status: Image is up to date for ${called}`;
}
