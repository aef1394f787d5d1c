// Four clients at once, each with a workload that one client does elsewhere.

import { asOneClient } from '../targets.js';
import type { Workload } from '../workload.js';

/** Starts the script four times with $i = 1..4, and fails if one fails. */
const four = (script: string): string =>
  `pids=(); for i in 1 2 3 4; do { ${script}; } & pids+=($!); done; for pid in "\${pids[@]}"; do wait "$pid"; done`;

export const PARALLEL: readonly Workload[] = [
  {
    name: 'find-warm-4',
    title: 'find, warm, four clients',
    group: 'parallel',
    layers: ['root'],
    start: 'warm',
    repeat: 2,
    run: four('listing . >"$OUT/listing.$i"'),
    check: 'for i in 1 2 3 4; do sort "$OUT/listing.$i" | sha256sum; done',
    targets: asOneClient('find-warm'),
  },
  {
    name: 'read-warm-4',
    title: 'cat of all files, warm, four clients',
    group: 'parallel',
    layers: ['root'],
    start: 'warm',
    run: four('find . -type f -fprintf "$OUT/visited.$i" x -exec cat {} + >/dev/null'),
    check: 'for i in 1 2 3 4; do test -s "$OUT/visited.$i"; wc -c <"$OUT/visited.$i"; done; find . -type f | wc -l',
    verify: 'contents .',
    targets: asOneClient('read-warm'),
  },
  {
    name: 'untar-4',
    title: 'tar -x of a quarter of the tree by each of four clients',
    group: 'parallel',
    layers: ['empty'],
    input: 'quarters',
    writes: true,
    start: 'fresh',
    run: four('mkdir "$i"; tar -xp --numeric-owner -C "$i" -f "$IN/$i.tar"'),
    check: 'listing . | sort',
    verify: 'contents .',
    targets: asOneClient('untar'),
  },
];
