// Freezing the upper of a mount that goes on: what was written so far becomes a layer that nobody writes to any more, and an empty
// upper takes its place. Nodes keep their numbers, and users see nothing of it. While it happens no request is handled.

import type { ByteString } from '../core/index.js';
import { errno } from '../core/index.js';
import {
  AT_FDCWD,
  LOCK_EX,
  LOCK_NB,
  O_RDONLY,
  RENAME_NOREPLACE,
  Stat,
  close,
  flock,
  hasWriters,
  renameat2,
} from '../sys/index.js';
import { statReal } from './attr.js';
import { forgetFreeze, recordFreeze } from './freeze-record.js';
import type { Exchange } from './freeze-record.js';
import { FreshUpper } from './fresh-upper.js';
import { openReal } from './handles.js';
import type { FileNode, Place } from './node.js';
import type { Overlay } from './overlay.js';
import { dismiss, findNames, pin, settleIndex } from './settle.js';
import type { Guests } from './settle.js';
import { emptyDirectory } from './work-dir.js';
import type { WorkDir } from './work-dir.js';
import { WrittenFile } from './written-file.js';

/** Absolute paths. */
export interface FreezePaths {
  /** Where the upper is, and the next one will be. */
  readonly upper: ByteString;
  /** Where the frozen one goes, on the same file system: nothing is there yet. */
  readonly frozen: ByteString;
}

const stat = new Stat();

/** Call it when no request is in progress. Returns 0 or -errno; then nothing has changed. */
export async function freezeUpper(o: Overlay, paths: FreezePaths): Promise<number> {
  const { work } = o;
  if (work === undefined) return -errno.EROFS;
  const guests: Guests = [];
  try {
    return await freezeWith(o, work, { paths, guests });
  } finally {
    dismiss(o, guests);
  }
}

async function freezeWith(o: Overlay, work: WorkDir, how: { paths: FreezePaths; guests: Guests }): Promise<number> {
  const ready = makePlain(o, work, how.guests);
  if (ready < 0) return ready;
  const fresh = FreshUpper.make(o);
  if (typeof fresh === 'number') return fresh;
  const files = [...writtenFiles(o)].map((node) => new WrittenFile(o, work, node));
  let status = 0;
  for (const file of files) if (status >= 0) status = await file.copy();
  if (status >= 0) status = await writeDown(o, work, { fresh, files });
  for (const file of files) if (status >= 0) status = file.exchange();
  for (const file of files) if (status >= 0) status = file.moveTo(fresh);
  if (status >= 0) status = changePlaces(work, fresh, how.paths);
  if (status < 0) {
    for (const file of files) file.undo();
    fresh.discard();
    forgetFreeze(work);
    return status;
  }
  forgetFreeze(work);
  for (const file of files) file.finish();
  takeOver(o, fresh, new Map(files.map((file) => [file.node, file])));
  // All names in it are in the frozen layer, too.
  emptyDirectory(work.index.fd());
  work.forgetWhiteout();
  return 0;
}

/** So that no death of ours in the next steps is seen. Returns 0 or -errno. */
async function writeDown(
  o: Overlay,
  work: WorkDir,
  { fresh, files }: { fresh: FreshUpper; files: readonly WrittenFile[] },
): Promise<number> {
  const exchanges: Exchange[] = [];
  for (const file of files) {
    const planned = file.plan();
    if (typeof planned === 'number') return planned;
    exchanges.push(...planned);
  }
  return exchanges.length === 0 ? 0 : recordFreeze(work, { fresh: fresh.name, exchanges }, o);
}

/** Makes the upper a layer that needs no index, with nodes that know where in it they are. Returns 0 or -errno. */
function makePlain(o: Overlay, work: WorkDir, guests: Guests): number {
  const settled = settleIndex(o, guests);
  if (settled < 0) return settled;
  const isInIndex = (node: FileNode): boolean => node.upper?.dir === work.index;
  const nodes = [...o.nodes.values()].filter((node) => node.kind === 'other');
  const lacksNames = nodes.some(isInIndex) || [...writtenFiles(o)].some((node) => hasMoreNames(node));
  const found = lacksNames ? findNames(o, guests) : 0;
  if (found < 0) return found;
  for (const node of nodes) {
    const pinned = isInIndex(node) ? pin(node) : 0;
    if (pinned < 0) return pinned;
  }
  return 0;
}

function hasMoreNames(node: FileNode): boolean {
  if (statReal(node, stat) < 0) return false;
  return stat.nlink - (node.indexed === undefined ? 0 : 1) > node.names.length;
}

/** The files in the upper that somebody has open or mapped for writing; those without a name are in no layer. */
function writtenFiles(o: Overlay): Set<FileNode> {
  const written = o.handles.written();
  for (const node of o.nodes.values())
    if (node.kind === 'other' && node.mayBeMapped && isMapped(node)) written.add(node);
  return new Set([...written].filter((node) => node.upper !== undefined));
}

function isMapped(node: FileNode): boolean {
  const fd = openReal(node, O_RDONLY);
  if (fd < 0) return true;
  const mapped = hasWriters(fd);
  close(fd);
  return mapped;
}

/**
 * Two renames: should we die in between, whoever takes over finds no upper, and makes an empty one, or takes the one that was written
 * down. Returns 0 or -errno.
 */
function changePlaces(work: WorkDir, fresh: FreshUpper, { upper, frozen }: FreezePaths): number {
  const [here, there] = [
    { dirfd: AT_FDCWD, name: upper },
    { dirfd: AT_FDCWD, name: frozen },
  ];
  const locked = flock(fresh.layer.fd, LOCK_EX | LOCK_NB);
  if (locked < 0) return locked;
  const moved = renameat2(here, there, RENAME_NOREPLACE);
  if (moved < 0) return moved;
  const placed = renameat2({ dirfd: work.fd, name: fresh.name }, here, RENAME_NOREPLACE);
  if (placed < 0) renameat2(there, here);
  return placed;
}

/** From here on the new upper is the one that counts. */
function takeOver(o: Overlay, fresh: FreshUpper, written: ReadonlyMap<FileNode, WrittenFile>): void {
  const old = o.stack.layers[0]!;
  o.stack.freeze(fresh.layer, fresh.root);
  o.origins.add(old);
  o.nodes.root.parts = o.stack.root;
  for (const node of o.nodes.values()) {
    if (node.kind === 'directory') {
      // One that was removed has nothing but its fd.
      if (node.upper === undefined || (node.at === undefined && node !== o.nodes.root)) continue;
      node.upper = fresh.directories.get(node);
      node.lowerIndex = undefined;
      node.impure = node.upper !== undefined;
      if (node.upper !== undefined && node !== o.nodes.root) node.parts = [node.upper, ...node.parts];
    } else if (node.upper !== undefined) {
      const place = written.get(node)?.place;
      if (place === undefined) lower(node);
      else rise(o, node, place);
    }
    if (node.kind === 'other' && node.indexed !== undefined) leaveIndex(o, node);
  }
}

/** Its links are those of its inode alone from now on. */
function leaveIndex(o: Overlay, node: FileNode): void {
  node.indexed = undefined;
  if (node.linkKey === undefined) return;
  o.nodes.unshareLinks(node);
  if (statReal(node, stat) >= 0) o.nodes.shareLinks(node, o.inos.key(stat));
}

function rise(o: Overlay, node: FileNode, place: Place): void {
  node.upper = place;
  node.nameUnsynced = true;
  // The rename was a change of its inode.
  o.kernel?.invalidateAttributes(node.id);
}

function lower(node: FileNode): void {
  node.lower = node.upper;
  node.upper = undefined;
  node.smallLower = undefined;
  node.nameUnsynced = false;
  node.mayBeMapped = false;
  if (node.backing !== undefined) node.backing = { id: node.backing.id, upper: false };
}
