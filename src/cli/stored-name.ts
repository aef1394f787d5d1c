// `oci:DIR[:TAG]` and its kin where an image of the store is needed: it is loaded first.

import { familiarReference, formatReference } from '../image/index.js';
import type { Store } from '../store/index.js';
import { isArchiveName, readOneArchived } from './archived-images.js';

/** The name or ID of an archive's image in the store, where it comes unless it is there; any other text stays as it is. */
export async function storedName(store: Store, text: string): Promise<string> {
  if (!isArchiveName(store, text)) return text;
  const { id, names } = await readOneArchived(store, text);
  const [name] = names;
  const called = name === undefined ? id : familiarReference(name);
  const stored = store.images.find(id);
  const isNamed = name === undefined || stored?.references.includes(formatReference(name)) === true;
  if (stored === undefined || !isNamed) await load(store, text, id);
  return called;
}

async function load(store: Store, text: string, id: string): Promise<void> {
  const { loadImages, parseArchiveName } = await import('../transfer/index.js');
  const { interruptible } = await import('./interruption.js');
  const { ProgressBoard } = await import('./progress.js');
  const { showTransfer } = await import('./transfer-progress.js');
  const name = parseArchiveName(text);
  if (name === undefined) return;
  using board = new ProgressBoard();
  const onProgress = showTransfer(board);
  await interruptible((signal) =>
    loadImages(store, { path: name.path }, { reference: name.reference ?? id, signal, onProgress }),
  );
}
