// What a name means in a stack of directories (fs/overlayfs/namei.c, ovl_lookup): the first layer that has
// it decides; directories merge until an opaque one; a whiteout ends the search; a redirect sends it elsewhere.

import { errno } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import { Stat, entryPath, listxattrat, statx } from '../sys/index.js';
import { OPAQUE_MARKER, WHITEOUT_PREFIX, readMarks } from '../whiteout/index.js';
import type { Marks } from '../whiteout/index.js';
import { ReadAhead } from './read-ahead.js';
import type { RealDir } from './real-dir.js';

/** The directories one merged directory consists of, top first; never empty. */
export type Merged = readonly RealDir[];

export interface FoundDirectory {
  readonly kind: 'directory';
  readonly parts: Merged;
  /** As `Marks` has it, of the top one. */
  readonly protection: number;
}

export interface FoundOther {
  readonly kind: 'other';
  readonly dir: RealDir;
  readonly name: ByteString;
  /** Where the content is, when the file found holds metadata only. */
  readonly data: { readonly dir: RealDir; readonly name: ByteString } | undefined;
  /** Whether it carries the kernel's `origin` attribute. */
  readonly origin: boolean;
  /** As `Marks` has it. */
  readonly protection: number;
}

export type Found = FoundDirectory | FoundOther;

const spare = new Stat();
const NO_NAMES: readonly ByteString[] = [];

/** The marks of `name` in `dirfd`; none where attributes cannot be read. */
function marksOf(dirfd: number, name: ByteString): Marks {
  const names = listxattrat(dirfd, name);
  if (typeof names === 'number' || names.length === 0) return readMarks('', NO_NAMES);
  return readMarks(entryPath(dirfd, name), names);
}

function exists(dirfd: number, name: ByteString): boolean {
  return statx(dirfd, name, spare) >= 0;
}

/** Whether an empty file is a whiteout in the attribute form, which counts in directories that announce it only. */
function isXattrWhiteout(stat: Stat, dirfd: number, name: ByteString): boolean {
  if (!stat.isRegular || stat.size > 0 || !marksOf(dirfd, name).whiteout) return false;
  return marksOf(dirfd, '.').opaque === 'x';
}

/**
 * Finds `name` in `parts`, from the part at `from` down. `stat` is filled with the attributes of what is found:
 * a directory's are the top one's. Returns undefined where there is nothing, or -errno.
 *
 * Errors: EIO for a metadata-only file whose data is missing below; EPERM for a redirect that is not to be followed; whatever the layers' file systems answer.
 */
export function lookup(parts: Merged, name: ByteString, stat: Stat, from = 0): Found | undefined | number {
  return find(parts, name, stat, { from, wanted: 'any' });
}

interface Search {
  /** The part to begin at. */
  readonly from: number;
  /** `directory`: anything else ends the search, and its data, which may be missing, is nobody's business. */
  readonly wanted: 'any' | 'directory';
}

function find(parts: Merged, name: ByteString, stat: Stat, { from, wanted }: Search): Found | undefined | number {
  if (name.startsWith(WHITEOUT_PREFIX)) return undefined;
  const directories: RealDir[] = [];
  let protection = 0;
  const readAhead = new ReadAhead(parts, name, from);
  for (let index = from; index < parts.length; index += 1) {
    readAhead.before(index);
    const part = parts[index]!;
    const dirfd = part.fd();
    if (dirfd < 0) return dirfd;
    const own = directories.length === 0 ? stat : spare;
    const status = statx(dirfd, name, own);
    const last = index === parts.length - 1;
    if (status < 0) {
      if (status !== -errno.ENOENT) return status;
      if (!last && exists(dirfd, WHITEOUT_PREFIX + name)) break;
      continue;
    }
    if (own.isWhiteoutDevice || isXattrWhiteout(own, dirfd, name)) break;
    if (!own.isDirectory) {
      return directories.length > 0
        ? { kind: 'directory', parts: directories, protection }
        : wanted === 'any'
          ? other(parts, index, name, own)
          : undefined;
    }
    const directory = part.child(name);
    directories.push(directory);
    if (part.layer.isBottom) break;
    const marks = marksOf(dirfd, name);
    if (directories.length === 1) protection = marks.protection;
    // The top one may be written.
    if (part.layer.index > 0) directory.xattrWhiteouts = marks.opaque === 'x';
    const below = belowDirectory(parts, index, { dirfd, name, marks });
    if (below === 'continue') continue;
    if (typeof below === 'number') return below;
    directories.push(...below);
    break;
  }
  return directories.length > 0 ? { kind: 'directory', parts: directories, protection } : undefined;
}

/** What a directory found at `index` merges with: nothing, what its redirect leads to, or the same name further down. */
function belowDirectory(
  parts: Merged,
  index: number,
  found: { dirfd: number; name: ByteString; marks: Marks },
): Merged | 'continue' | number {
  const { marks } = found;
  if (marks.opaque === 'y') return [];
  // By a path of two names: should a link take the directory's place now, only a yes or no is had from beyond it.
  if (exists(found.dirfd, `${found.name}/${OPAQUE_MARKER}`)) return [];
  if (marks.redirect === undefined) return 'continue';
  const target = followRedirect(parts, index, { redirect: marks.redirect, stat: new Stat(), wanted: 'directory' });
  if (typeof target === 'number') return target;
  return target?.kind === 'directory' ? target.parts : [];
}

/** Resolves a redirect found in part `index`: in the layers below that one, never in its own. `stat` as for `lookup`. */
function followRedirect(
  parts: Merged,
  index: number,
  { redirect, stat, wanted }: { redirect: ByteString; stat: Stat; wanted: Search['wanted'] },
): Found | undefined | number {
  if (!parts[index]!.layer.followsRedirects) return -errno.EPERM;
  const components = redirect.split('/');
  const absolute = components[0] === '';
  if (absolute) components.shift();
  // A layer's author chose it: only plain names may be walked, each by itself (ovl_get_redirect_xattr).
  const hostile = components.some((name) => name === '' || name === '.' || name === '..');
  if (hostile || (!absolute && components.length > 1)) return -errno.EINVAL;
  if (!absolute) return find(parts, redirect, stat, { from: index + 1, wanted });
  const layer = parts[index]!.layer;
  let here: Merged = layer.below;
  let found: Found | undefined | number;
  for (const [depth, component] of components.entries()) {
    const isLast = depth === components.length - 1;
    found = find(here, component, stat, { from: 0, wanted: isLast ? wanted : 'directory' });
    if (found === undefined || typeof found === 'number') return found;
    here = found.kind === 'directory' ? found.parts : [];
  }
  return found;
}

/** Whether a file holds attributes only, and its content is below. */
export function isMetadataOnly(dirfd: number, name: ByteString): boolean {
  return marksOf(dirfd, name).metacopy;
}

/** A file that is not a directory, with the place of its data if it is a metadata-only copy. */
function other(parts: Merged, index: number, name: ByteString, stat: Stat): FoundOther | number {
  const dir = parts[index]!;
  const plain: FoundOther = { kind: 'other', dir, name, data: undefined, origin: false, protection: 0 };
  // Nothing is below the bottom layer; only a file that looks like a metadata-only copy is worth a question.
  const hollow = stat.isRegular && stat.size > 0 && stat.blocks === 0;
  if (dir.layer.isBottom && !hollow) return plain;
  const marks = marksOf(dir.fd(), name);
  const { origin, protection } = marks;
  if (!marks.metacopy || !stat.isRegular) return { ...plain, origin, protection };
  const data = new Stat();
  const below =
    marks.redirect === undefined
      ? lookup(parts, name, data, index + 1)
      : followRedirect(parts, index, { redirect: marks.redirect, stat: data, wanted: 'any' });
  if (typeof below === 'number') return below;
  if (below?.kind !== 'other' || !data.isRegular) return -errno.EIO;
  // What the content takes on disk (ovl_getattr).
  stat.assume({ blocks: data.blocks });
  return { ...plain, data: below.data ?? { dir: below.dir, name: below.name }, origin, protection };
}
