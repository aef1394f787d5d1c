// All files of a tree, one after the other.

import { reading } from '../targets.js';
import type { Workload } from '../workload.js';

/** One letter per file goes to $OUT, as the proof that each was visited; find fails if cat does. */
const READ_ALL = 'find . -type f -fprintf "$OUT/visited" x -exec cat {} + >/dev/null';
const VISITED = 'wc -c <"$OUT/visited"; test -s "$OUT/visited"; find . -type f | wc -l';

export const READING: readonly Workload[] = [
  {
    name: 'read-cold',
    title: 'cat of all files, cold',
    group: 'reading',
    layers: ['root'],
    start: 'cold',
    tools: 'find /dev/null -exec cat {} +',
    run: READ_ALL,
    check: VISITED,
    verify: 'contents .',
    targets: reading(),
  },
  {
    name: 'read-warm',
    title: 'cat of all files, warm',
    group: 'reading',
    layers: ['root'],
    start: 'warm',
    repeat: 3,
    run: READ_ALL,
    check: VISITED,
    verify: 'contents .',
    targets: reading(1.5),
  },
  {
    name: 'read-warm-ro',
    title: 'the same, mounted read-only',
    group: 'reading',
    layers: ['root', 'empty'],
    readOnly: true,
    start: 'warm',
    repeat: 3,
    run: READ_ALL,
    check: VISITED,
    verify: 'contents .',
    targets: reading(1.1),
  },
];
