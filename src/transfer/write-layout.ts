// An OCI layout in a directory: blobs first, the index last, each under a name of its own until it is whole.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { VeneerError } from '../core/index.js';
import {
  annotatedName,
  checkLayout,
  encodeIndex,
  encodeLayout,
  INDEX_FILE,
  LAYOUT_FILE,
  parseIndex,
} from '../image/index.js';
import type { Descriptor } from '../image/index.js';
import { writeOutputFile } from './output-file.js';
import type { PlannedFile } from './save-plan.js';
import { indexOf } from './save-plan.js';

export interface LayoutContent {
  readonly blobs: readonly PlannedFile[];
  readonly entries: readonly Descriptor[];
}

type Write = (chunk: Uint8Array) => Promise<void>;

/**
 * Writes a layout, or adds to the one that is there: an image takes a name from the one that had it. `copy` writes a file's content.
 * A new directory that cannot be filled is taken away again. Throws `already-exists` for a directory with something else in it.
 */
export async function writeLayout(
  directory: string,
  { blobs, entries }: LayoutContent,
  copy: (file: PlannedFile, write: Write) => Promise<void>,
): Promise<void> {
  const isNew = !existsSync(directory);
  const before = isNew ? [] : currentEntries(directory);
  let isDone = false;
  try {
    const place = path.join(directory, 'blobs', 'sha256');
    mkdirSync(place, { recursive: true });
    for (const blob of blobs) {
      const target = path.join(directory, blob.path);
      // A blob's name is its content: one that is there whole stays.
      if (statSync(target, { throwIfNoEntry: false })?.size === blob.size) continue;
      await writeOutputFile(target, (write) => copy(blob, write));
    }
    await writeOutputFile(path.join(directory, LAYOUT_FILE), (write) => write(encodeLayout()));
    const index = indexBytes(directory, [...before.filter((entry) => !isReplaced(entry, entries)), ...entries]);
    await writeOutputFile(path.join(directory, INDEX_FILE), (write) => write(index));
    isDone = true;
  } finally {
    if (!isDone && isNew) rmSync(directory, { recursive: true, force: true });
  }
}

function indexBytes(directory: string, manifests: readonly Descriptor[]): Buffer {
  const file = path.join(directory, INDEX_FILE);
  return existsSync(file) ? encodeIndex({ ...parseIndex(readFileSync(file)), manifests }) : indexOf(manifests);
}

/** Throws `already-exists`, `invalid`. */
function currentEntries(directory: string): readonly Descriptor[] {
  if (!statSync(directory).isDirectory()) throw new VeneerError('invalid', `cannot write '${directory}': it is a file`);
  const names = readdirSync(directory);
  if (names.length === 0) return [];
  if (!names.includes(LAYOUT_FILE) || !names.includes(INDEX_FILE)) {
    throw new VeneerError('already-exists', `cannot save to '${directory}': it has files in it and is no OCI layout`, {
      hint: 'name a new or empty directory, or an OCI layout to add to',
    });
  }
  checkLayout(readFileSync(path.join(directory, LAYOUT_FILE)));
  return parseIndex(readFileSync(path.join(directory, INDEX_FILE))).manifests;
}

/** The same manifest or the same name. */
function isReplaced(old: Descriptor, entries: readonly Descriptor[]): boolean {
  const nameOf = (entry: Descriptor): string =>
    JSON.stringify(annotatedName(entry).reference ?? annotatedName(entry).ref ?? entry.digest);
  return entries.some((entry) => nameOf(entry) === nameOf(old));
}
