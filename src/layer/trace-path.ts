// Where a path of a stack comes from: the layers that show it, those that it hides, and what hides them.

import { displayBytes, SysError } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import { lookup, openStack } from '../stack/index.js';
import type { Found, Merged, RealDir } from '../stack/index.js';
import { Stat, listxattrat, entryPath, statx } from '../sys/index.js';
import { OPAQUE_MARKER, WHITEOUT_PREFIX, isWhiteout, readMarks } from '../whiteout/index.js';
import { factsOf } from './file-facts.js';
import type { FileFacts } from './file-facts.js';
import { placeOf, readLink } from './found-entry.js';

/**
 * - `shown`: the file, or the directory whose attributes are seen
 * - `attributes`: the same of a file whose content is in another layer
 * - `content`: that content
 * - `merged`: a directory that adds to the one above it
 * - `hidden`: something of that name that is not seen
 * - `deleted`: the layer says that there is nothing below it
 * - `cut`: the layer has a directory here, or above, that does not merge with what is below: opaque, renamed, or no directory
 */
export type TraceStatus = 'shown' | 'attributes' | 'content' | 'merged' | 'hidden' | 'deleted' | 'cut';

export interface TraceEntry {
  /** Which of the directories, 0 being the top one. */
  readonly layer: number;
  readonly status: TraceStatus;
  /** What it is about in that layer: another path where a directory was renamed, or the parent that was deleted. */
  readonly path: ByteString;
  /** Undefined for what is no file: `deleted`, `cut`. */
  readonly facts: FileFacts | undefined;
}

export interface Trace {
  /** Without symlinks on the way; the path itself may be one. */
  readonly path: ByteString;
  /** Top first. The first that is `shown` or `attributes`, if there is one, is what is seen. */
  readonly entries: readonly TraceEntry[];
}

/** As the kernel's MAXSYMLINKS. */
const MOST_LINKS = 40;

/**
 * Follows `path` (from the root of the tree, where its symlinks lead, too) through layer directories, top first. Undefined where no layer has it.
 * Throws a SysError.
 */
export function tracePath(directories: readonly string[], path: ByteString): Trace | undefined {
  const stack = openStack(directories);
  try {
    const { names, found } = walk(stack.root, path);
    const seen = found === undefined ? [] : visible(found);
    const literal = stack.root.map((part) => inspect(part, names));
    const entries = literal.flatMap((here, layer) => {
      const own = seen.filter((entry) => entry.layer === layer);
      const isSeen = own.some((entry) => entry.path === names.join('/'));
      const hidden: TraceEntry[] =
        here.facts === undefined || isSeen
          ? []
          : [{ layer, status: 'hidden', path: names.join('/'), facts: here.facts }];
      const hidesSome = literal.slice(layer + 1).some(({ facts }) => facts !== undefined);
      const end: TraceEntry[] =
        here.end === undefined || !hidesSome || own.some(({ facts }) => facts?.type !== 'directory')
          ? []
          : [{ layer, status: here.end.status, path: here.end.path, facts: undefined }];
      return [...own, ...hidden, ...end];
    });
    return entries.length === 0 ? undefined : { path: names.join('/'), entries };
  } finally {
    stack.close();
  }
}

interface Walked {
  readonly names: readonly ByteString[];
  readonly found: Found | undefined;
}

/** Resolves symlinks on the way as far as there is something; what follows stays as it is written. */
function walk(root: Merged, path: ByteString): Walked {
  const split = (text: ByteString): ByteString[] => text.split('/').filter((name) => name !== '' && name !== '.');
  const above: { name: ByteString; parts: Merged }[] = [];
  const ahead = split(path);
  const stat = new Stat();
  let links = 0;
  let found: Found | undefined = { kind: 'directory', parts: root, protection: 0 };
  for (let name = ahead.shift(); name !== undefined; name = ahead.shift()) {
    if (name === '..') {
      above.pop();
      found = { kind: 'directory', parts: above.at(-1)?.parts ?? root, protection: 0 };
      continue;
    }
    const next: Found | undefined | number = lookup(above.at(-1)?.parts ?? root, name, stat);
    if (typeof next === 'number') throw new SysError(-next, 'lookup', displayBytes(path));
    found = next;
    if (next?.kind === 'directory') above.push({ name, parts: next.parts });
    else if (next !== undefined && stat.isSymlink && ahead.length > 0 && links < MOST_LINKS) {
      links += 1;
      const target = readLink(placeOf(next));
      if (target.startsWith('/')) above.length = 0;
      ahead.unshift(...split(target));
      found = { kind: 'directory', parts: above.at(-1)?.parts ?? root, protection: 0 };
    } else {
      const rest = ahead.filter((each) => each !== '..');
      return { names: [...above.map((each) => each.name), name, ...rest], found: rest.length > 0 ? undefined : next };
    }
  }
  return { names: above.map((each) => each.name), found };
}

function join(dir: RealDir, name: ByteString): ByteString {
  return dir.path === '' ? name : `${dir.path}/${name}`;
}

/** What is seen, layer by layer. */
function visible(found: Found): TraceEntry[] {
  const stat = new Stat();
  const entry = (status: TraceStatus, dir: RealDir, name?: ByteString): TraceEntry => {
    const code = name === undefined ? dir.stat(stat) : statx(dir.fd(), name, stat);
    const path = name === undefined ? dir.path : join(dir, name);
    if (code < 0) throw new SysError(-code, 'statx', displayBytes(path));
    return { layer: dir.layer.index, status, path, facts: factsOf({ stat }) };
  };
  if (found.kind === 'directory') {
    return found.parts.map((part, index) => entry(index === 0 ? 'shown' : 'merged', part));
  }
  const { dir, name, data } = found;
  if (data === undefined) return [entry('shown', dir, name)];
  return [entry('attributes', dir, name), entry('content', data.dir, data.name)];
}

interface Literal {
  /** Of what the layer has under that very path. */
  readonly facts: FileFacts | undefined;
  /** What in it keeps the layers below from being seen there. */
  readonly end: { readonly status: 'deleted' | 'cut'; readonly path: ByteString } | undefined;
}

/** One layer by itself: what it has at the path, and what it says of the layers below. */
function inspect(root: RealDir, names: readonly ByteString[]): Literal {
  const stat = new Stat();
  let dir = root;
  let end: Literal['end'];
  for (const [index, name] of names.entries()) {
    const path = names.slice(0, index + 1).join('/');
    const dirfd = dir.fd();
    if (dirfd < 0) throw new SysError(-dirfd, 'open', displayBytes(path));
    if (statx(dirfd, name, stat) < 0) {
      const marked = statx(dirfd, WHITEOUT_PREFIX + name, stat) >= 0;
      return { facts: undefined, end: end ?? (marked ? { status: 'deleted', path } : undefined) };
    }
    if (isWhiteout(dirfd, name, stat)) return { facts: undefined, end: end ?? { status: 'deleted', path } };
    const isLast = index === names.length - 1;
    if (!stat.isDirectory) {
      return isLast ? { facts: factsOf({ stat }), end } : { facts: undefined, end: end ?? { status: 'cut', path } };
    }
    if (end === undefined && !mergesBelow(dirfd, name)) end = { status: 'cut', path };
    if (isLast) return { facts: factsOf({ stat }), end };
    dir = dir.child(name);
  }
  root.stat(stat);
  return { facts: factsOf({ stat }), end };
}

/** Whether a directory merges with what has the same path below. */
function mergesBelow(dirfd: number, name: ByteString): boolean {
  const spare = new Stat();
  if (statx(dirfd, `${name}/${OPAQUE_MARKER}`, spare) >= 0) return false;
  const attributes = listxattrat(dirfd, name);
  if (typeof attributes === 'number') return true;
  const { opaque, redirect } = readMarks(entryPath(dirfd, name), attributes);
  return opaque !== 'y' && redirect === undefined;
}
