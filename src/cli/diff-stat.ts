// `diff --stat`: what each change did to sizes, and what all of them come to.

import { formatSize } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import type { ChangeKind, DetailedChange } from '../layer/index.js';
import { coloured, shownBytes } from './byte-output.js';
import { KIND_COLOURS, LETTERS, absolute, jsonPath } from './diff-lines.js';

interface StatRow {
  /** Ends with a slash where it stands for what is below it. */
  readonly path: ByteString;
  kind: ChangeKind;
  /** How many changes it stands for. */
  paths: number;
  /** Bytes before and now; undefined where there was or is nothing. */
  before: number | undefined;
  now: number | undefined;
  /** Bytes in files that became larger, and in those that became smaller. */
  more: number;
  less: number;
}

function rowOf({ path, kind, before, now }: DetailedChange): StatRow {
  const growth = (now?.size ?? 0) - (before?.size ?? 0);
  return {
    path: absolute(path),
    kind,
    paths: 1,
    before: before?.size,
    now: now?.size,
    more: Math.max(growth, 0),
    less: Math.max(-growth, 0),
  };
}

/** The directory that stands for a path, where that is deeper than `depth` names. */
function groupOf(path: ByteString, depth: number): ByteString {
  const names = path.split('/');
  return names.length <= depth ? path : `${names.slice(0, depth).join('/')}/`;
}

const sum = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined && b === undefined ? undefined : (a ?? 0) + (b ?? 0);

function addTo(row: StatRow, other: StatRow): void {
  row.paths += other.paths;
  row.before = sum(row.before, other.before);
  row.now = sum(row.now, other.now);
  row.more += other.more;
  row.less += other.less;
  if (row.kind !== other.kind) row.kind = 'modified';
}

/**
 * The rows: files and what is like them, and directories that came, went or have other attributes; not those that only
 * lead to a change. With a depth, what lies deeper is summed up in directories.
 */
async function rowsOf(changes: AsyncIterable<DetailedChange>, depth: number | undefined): Promise<StatRow[]> {
  const rows = new Map<ByteString, StatRow>();
  for await (const change of changes) {
    if (change.isParent) continue;
    const row = rowOf(change);
    const path = depth === undefined ? row.path : absolute(groupOf(change.path, depth));
    const known = rows.get(path);
    if (known === undefined) rows.set(path, { ...row, path });
    else addTo(known, row);
  }
  return [...rows.values()];
}

function signed({ more, less }: StatRow): string {
  if (more > 0 && less > 0) return `+${formatSize(more)} -${formatSize(less)}`;
  if (less > 0) return `-${formatSize(less)}`;
  return more > 0 ? `+${formatSize(more)}` : '';
}

/** How wide bytes are on a terminal: continuation bytes of UTF-8 take no place. */
function widthOf(bytes: ByteString): number {
  return bytes.replace(/[\x80-\xbf]/g, '').length;
}

const counted = (paths: number): string => `${String(paths)} path${paths === 1 ? '' : 's'}`;

function summary(rows: readonly StatRow[]): string {
  const total = (key: 'paths' | 'more' | 'less'): number => rows.reduce((all, row) => all + row[key], 0);
  const [paths, more, less] = [total('paths'), total('more'), total('less')];
  const parts = [
    ` ${counted(paths)} changed`,
    ...(more > 0 ? [`${formatSize(more)} more(+)`] : []),
    ...(less > 0 ? [`${formatSize(less)} less(-)`] : []),
  ];
  return `${parts.join(', ')}\n`;
}

export async function* statLines(
  changes: AsyncIterable<DetailedChange>,
  depth: number | undefined,
): AsyncGenerator<ByteString> {
  const rows = await rowsOf(changes, depth);
  if (rows.length === 0) return;
  const size = (bytes: number | undefined): string => (bytes === undefined ? '-' : formatSize(bytes));
  const cells = rows.map((row) => ({
    row,
    name: shownBytes(row.path),
    count: row.path.endsWith('/') ? counted(row.paths) : '',
    before: size(row.before),
    now: size(row.now),
  }));
  const widest = (key: 'count' | 'before' | 'now'): number => Math.max(...cells.map((cell) => cell[key].length));
  const names = cells.reduce((most, { name }) => Math.max(most, widthOf(name)), 0);
  const [counts, befores, nows] = [widest('count'), widest('before'), widest('now')];
  for (const { row, name, count, before, now } of cells) {
    const padded = name + ' '.repeat(names - widthOf(name));
    const total = counts === 0 ? '' : `  ${count.padStart(counts)}`;
    const sizes = `${before.padStart(befores)} -> ${now.padStart(nows)}  ${signed(row)}`.trimEnd();
    yield `${coloured(`${LETTERS[row.kind]} ${padded}`, KIND_COLOURS[row.kind])}${total}  ${sizes}\n`;
  }
  yield summary(rows);
}

/** The rows of `statLines` with a depth, as objects. */
export async function* statGroups(changes: AsyncIterable<DetailedChange>, depth: number): AsyncGenerator<object> {
  for (const { path, kind, paths, before, now } of await rowsOf(changes, depth)) {
    yield { Kind: LETTERS[kind], ...jsonPath(path), Paths: paths, OldSize: before ?? 0, NewSize: now ?? 0 };
  }
}
