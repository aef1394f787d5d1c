// The changes between two stacks as a patch: git's format for texts and symlinks, so that `git apply` and `patch -p1` can
// apply it, and beside it, in blocks that those programs pass over, what git has no words for.

import { createHash } from 'node:crypto';
import type { ByteString } from '../core/index.js';
import { ChangeWalk } from './change-walk.js';
import type { ChangeNode } from './change-walk.js';
import { sameContent } from './compare.js';
import type { Seen } from './compare.js';
import { openLayersToCompare } from './diff-layers.js';
import type { DiffLayersOptions } from './diff-layers.js';
import { endBlankName, quoteBytes } from './patch-names.js';
import { describeSide } from './patch-side.js';
import type { Side } from './patch-side.js';
import { pathsBelow } from './path-choice.js';
import { textHunks } from './text-hunks.js';
import type { PatchLine } from './text-hunks.js';

/** See `patchLayers`. */
export function* linesOfChanges(
  options: DiffLayersOptions,
  maxFileSize: number,
): Generator<readonly PatchLine[], void> {
  using stacks = openLayersToCompare(options);
  const { paths } = options;
  const walk = new ChangeWalk(stacks, { deep: true, ...(paths === undefined ? {} : { paths: pathsBelow(paths) }) });
  for (const change of walk.run()) {
    const lines = linesOf(change, maxFileSize);
    if (lines.length > 0) yield lines;
  }
}

const header = (text: ByteString): PatchLine => ({ kind: 'header', text });
const octal = (mode: number): string => mode.toString(8).padStart(4, '0');

/** A change of one name, which stays of one type; a change of type is two of these. */
interface Section {
  readonly old: Side | undefined;
  readonly fresh: Side | undefined;
  /** Quoted, as they stand after `diff`. */
  readonly oldName: ByteString;
  readonly freshName: ByteString;
  /** Whether git's format holds the change: texts on both sides. */
  readonly isText: boolean;
  /** What is said of content that is not shown. */
  readonly contents: 'same' | 'Binary' | 'Large';
}

function linesOf({ path, now, before }: ChangeNode, maxFileSize: number): PatchLine[] {
  const old = before && describeSide(before, maxFileSize);
  const fresh = now && describeSide(now, maxFileSize);
  const [oldName, freshName] = ['a', 'b'].map((side) => quoteBytes(`${side}/${path === '' ? '.' : path}`)) as [
    string,
    string,
  ];
  const section = (sides: Pick<Section, 'old' | 'fresh'>): PatchLine[] => {
    const both = [sides.old, sides.fresh].filter((side) => side !== undefined);
    const isText = both.every(({ content }) => content !== undefined);
    const large = both.some(({ facts }) => facts.size > maxFileSize);
    const isFile = both.every(({ facts }) => facts.type === 'file');
    const same = !isFile || (both.length === 2 && hasSameContent(now, before));
    const contents = isText || same ? 'same' : large ? 'Large' : 'Binary';
    return linesOfSection({ ...sides, oldName, freshName, isText, contents });
  };
  if (old === undefined || fresh === undefined || old.facts.type === fresh.facts.type) return section({ old, fresh });
  return [...section({ old, fresh: undefined }), ...section({ old: undefined, fresh })];
}

function hasSameContent(now: Seen | undefined, before: Seen | undefined): boolean {
  if (now?.found.kind !== 'other' || before?.found.kind !== 'other') return false;
  return now.stat.size === before.stat.size && sameContent(now.found, before.found);
}

function linesOfSection(section: Section): PatchLine[] {
  const { oldName, freshName } = section;
  const inGit = gitLines(section);
  const beside = besideLines(section, inGit.length > 0);
  return [
    ...(beside.length === 0 ? [] : [header(`diff --veneer ${oldName} ${freshName}`), ...beside]),
    ...(inGit.length === 0 ? [] : [header(`diff --git ${oldName} ${freshName}`), ...inGit]),
  ];
}

function gitLines({ old, fresh, oldName, freshName, isText }: Section): PatchLine[] {
  if (!isText) return [];
  const lines: PatchLine[] = [];
  if (old === undefined) lines.push(header(`new file mode ${fresh?.gitMode ?? ''}`));
  else if (fresh === undefined) lines.push(header(`deleted file mode ${old.gitMode ?? ''}`));
  else lines.push(...pairLines('mode', old.gitMode, fresh.gitMode));
  const hunks = textHunks(old?.content ?? '', fresh?.content ?? '');
  if (hunks.length === 0) {
    // patch(1) removes an empty file only if it is told that it is one: by the digest of nothing.
    if (old === undefined) lines.push(header('index 0000000..e69de29'));
    else if (fresh === undefined) lines.push(header('index e69de29..0000000'));
    return lines;
  }
  // patch(1) changes a symlink only if it is told that it is one: after the digests, of which it takes no notice.
  if (old?.gitMode === SYMLINK && fresh?.gitMode === SYMLINK)
    lines.push(header(`index ${blobDigest(old)}..${blobDigest(fresh)} ${SYMLINK}`));
  const from = old === undefined ? '/dev/null' : endBlankName(oldName);
  const to = fresh === undefined ? '/dev/null' : endBlankName(freshName);
  return [...lines, header(`--- ${from}`), header(`+++ ${to}`), ...hunks];
}

const SYMLINK = '120000';

/** What git calls the content, cut as git cuts it. */
function blobDigest({ content = '' }: Side): string {
  const bytes = Buffer.from(content, 'latin1');
  return createHash('sha1')
    .update(`blob ${String(bytes.length)}\0`)
    .update(bytes)
    .digest('hex')
    .slice(0, 7);
}

/** What git has no words for; the time alone if nothing else has changed. */
function besideLines(section: Section, isInGit: boolean): PatchLine[] {
  const { old, fresh } = section;
  const lines = [
    ...presenceLines(section),
    ...modeLines(section),
    ...ownerLines(section),
    ...xattrLines(section),
    ...contentLines(section),
  ];
  if (lines.length > 0 || isInGit || old === undefined || fresh === undefined) return lines;
  return old.facts.type === 'directory' ? [] : pairLines('time', timeOf(old), timeOf(fresh));
}

/** `old X` and `new X` where they differ. */
function pairLines(what: string, old: string | undefined, fresh: string | undefined): PatchLine[] {
  if (old === fresh) return [];
  return [
    ...(old === undefined ? [] : [header(`old ${what} ${old}`)]),
    ...(fresh === undefined ? [] : [header(`new ${what} ${fresh}`)]),
  ];
}

function wordsFor({ facts, device }: Side): string {
  const word = facts.type === 'char' || facts.type === 'block' ? `${facts.type} device ${device}` : facts.type;
  return `${word} mode ${octal(facts.mode)}`;
}

function presenceLines({ old, fresh, isText }: Section): PatchLine[] {
  if (isText) return [];
  if (fresh === undefined) return old === undefined ? [] : [header(`deleted ${wordsFor(old)}`)];
  return old === undefined ? [header(`new ${wordsFor(fresh)}`)] : pairLines('device', old.device, fresh.device);
}

/** Permissions, as far as the other lines do not tell them. */
function modeLines({ old, fresh, isText }: Section): PatchLine[] {
  if (fresh === undefined) return [];
  if (old === undefined) return isText && !fresh.hasGitMode ? [header(`new mode ${octal(fresh.facts.mode)}`)] : [];
  const told = isText && old.hasGitMode && fresh.hasGitMode;
  return told ? [] : pairLines('mode', octal(old.facts.mode), octal(fresh.facts.mode));
}

/** What is new is root's unless it is said. */
function ownerLines({ old, fresh }: Section): PatchLine[] {
  const owner = ({ facts }: Side): string => `${String(facts.uid)}:${String(facts.gid)}`;
  if (fresh === undefined) return [];
  if (old !== undefined) return pairLines('owner', owner(old), owner(fresh));
  return owner(fresh) === '0:0' ? [] : [header(`new owner ${owner(fresh)}`)];
}

function timeOf({ facts }: Side): string {
  const { sec, nsec } = facts.mtime;
  return `${String(sec)}.${String(nsec).padStart(9, '0')}`;
}

function xattrLines({ old, fresh }: Section): PatchLine[] {
  if (fresh === undefined) return [];
  const names = new Set([...(old?.xattrs.keys() ?? []), ...fresh.xattrs.keys()]);
  const value = (side: Side | undefined, name: ByteString): string | undefined => {
    const bytes = side?.xattrs.get(name);
    return bytes === undefined ? undefined : `${quoteBytes(name)}=${xattrText(bytes)}`;
  };
  return [...names].sort().flatMap((name) => pairLines('xattr', value(old, name), value(fresh, name)));
}

function xattrText(value: Buffer): string {
  const text = value.toString('latin1');
  return /^[\x20-\x7e]*$/.test(text) ? `"${text.replace(/["\\]/g, '\\$&')}"` : `0x${value.toString('hex')}`;
}

function contentLines({ old, fresh, oldName, freshName, contents }: Section): PatchLine[] {
  if (contents === 'same') return [];
  const [from, to] = [old === undefined ? '/dev/null' : oldName, fresh === undefined ? '/dev/null' : freshName];
  return [{ kind: 'note', text: `${contents} files ${from} and ${to} differ` }];
}
