// The difference of two texts in the unified format, as diff(1), git and patch(1) have it.

import { structuredPatch } from 'diff';
import type { ByteString } from '../core/index.js';

export type PatchLineKind = 'header' | 'hunk' | 'context' | 'added' | 'removed' | 'note';

/** One line of a patch, without its newline. */
export interface PatchLine {
  readonly kind: PatchLineKind;
  readonly text: ByteString;
}

interface Hunk {
  readonly oldStart: number;
  readonly oldLines: number;
  readonly newStart: number;
  readonly newLines: number;
  readonly lines: readonly string[];
}

const CONTEXT = 3;

/**
 * Lines that may differ before the shortest edit is no longer looked for: the search takes time by the square of that. It is a
 * number and not a time, so that the same texts give the same patch on every machine.
 */
const MOST_EDITS = 3000;

const KINDS: Readonly<Record<string, PatchLineKind>> = { '+': 'added', '-': 'removed', ' ': 'context', '\\': 'note' };

/** Every line with its newline; the last one may lack it. */
function linesOf(text: ByteString): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

function marked(mark: string, lines: readonly string[]): string[] {
  return lines.flatMap((line) =>
    line.endsWith('\n') ? [mark + line.slice(0, -1)] : [mark + line, '\\ No newline at end of file'],
  );
}

/** Everything between the first and the last line that differ, replaced. */
function replacement(before: ByteString, now: ByteString): Hunk {
  const [old, fresh] = [linesOf(before), linesOf(now)];
  let start = 0;
  while (start < Math.min(old.length, fresh.length) && old[start] === fresh[start]) start += 1;
  let end = 0;
  while (end < Math.min(old.length, fresh.length) - start && old.at(-1 - end) === fresh.at(-1 - end)) end += 1;
  const head = old.slice(Math.max(0, start - CONTEXT), start);
  const tail = old.slice(old.length - end, old.length - end + CONTEXT);
  const [gone, come] = [old.slice(start, old.length - end), fresh.slice(start, fresh.length - end)];
  const around = head.length + tail.length;
  return {
    oldStart: start - head.length + 1,
    oldLines: gone.length + around,
    newStart: start - head.length + 1,
    newLines: come.length + around,
    lines: [...marked(' ', head), ...marked('-', gone), ...marked('+', come), ...marked(' ', tail)],
  };
}

/** A side without lines begins before the first one. */
function range(start: number, lines: number): string {
  const from = lines === 0 ? start - 1 : start;
  return lines === 1 ? String(from) : `${String(from)},${String(lines)}`;
}

/** The hunks that turn one text into the other; none for equal ones. Lines end with a newline and nothing else. */
export function textHunks(before: ByteString, now: ByteString): PatchLine[] {
  if (before === now) return [];
  const options = { context: CONTEXT, maxEditLength: MOST_EDITS };
  const hunks: readonly Hunk[] = structuredPatch('', '', before, now, '', '', options)?.hunks ?? [
    replacement(before, now),
  ];
  return hunks.flatMap(({ oldStart, oldLines, newStart, newLines, lines }): PatchLine[] => [
    { kind: 'hunk', text: `@@ -${range(oldStart, oldLines)} +${range(newStart, newLines)} @@` },
    ...lines.map((text): PatchLine => ({ kind: KINDS[text.charAt(0)] ?? 'context', text })),
  ]);
}
