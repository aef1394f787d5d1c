// 64 layers, every directory of which exists in all of them.

import { metadata, metadataFasterThanKernel } from '../targets.js';
import type { Workload } from '../workload.js';

export const LAYERS: readonly Workload[] = [
  {
    name: 'layers64-walk',
    title: 'find with attributes over 64 layers, cold',
    group: 'layers',
    layers: ['layers64'],
    start: 'cold',
    tools: 'find /dev/null -printf %m >/dev/null',
    run: 'listing . >"$OUT/listing"',
    check: 'sort "$OUT/listing"',
    verify: 'contents .',
    targets: metadataFasterThanKernel,
  },
  {
    name: 'layers64-lookup',
    title: 'stat of names in 64 layers, half of them missing',
    group: 'layers',
    layers: ['layers64'],
    input: 'names64',
    start: 'fresh',
    run: 'xargs -a "$IN/names" stat -c "%n %s" >"$OUT/found" 2>"$OUT/missing" || test $? = 123',
    check: 'cat "$OUT/found"; wc -l <"$OUT/missing"',
    targets: metadata(),
  },
];
