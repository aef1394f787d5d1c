// Data of one file. dd for what is sequential: it does one thing and has no start-up. fio for random offsets, with its own
// clock, since its start-up takes longer than the work does on a kernel file system. No disk is timed here: what is read is in
// the page cache and what is written stays there, so that the way through the file system is what is left.

import { data, dataFasterThanKernel } from '../targets.js';
import type { Workload } from '../workload.js';

/** `--invalidate=0`: fio would throw the file out of the page cache first. */
const FIO =
  'fio --name=random --filename=random/file --size="${RANDOM_MIB}M" --bs=4k --ioengine=psync --loops=4 --invalidate=0 ' +
  '--randrepeat=1 --buffer_pattern=0x5a --output-format=json --output="$OUT/fio.json"';

export const DATA: readonly Workload[] = [
  {
    name: 'seq-read',
    title: 'sequential read of a lower file of 1 GiB, cached',
    group: 'data',
    layers: ['big'],
    start: 'fresh',
    run: 'dd if=big/file of=/dev/null bs=1M 2>"$OUT/dd"',
    check: 'sed -n 3s/bytes.*/bytes/p "$OUT/dd"',
    verify: 'contents big',
    targets: data,
  },
  {
    name: 'seq-write',
    title: 'sequential write of 1 GiB',
    group: 'data',
    layers: ['empty'],
    writes: true,
    start: 'fresh',
    run: 'dd if=/dev/zero of=file bs=1M count="$BIG" 2>"$OUT/dd"',
    check: 'sed -n 3s/bytes.*/bytes/p "$OUT/dd"; listing_untimed .',
    verify: 'contents .',
    targets: data,
  },
  {
    name: 'small-writes',
    title: '400 MB in 4 KiB writes',
    group: 'data',
    layers: ['empty'],
    writes: true,
    start: 'fresh',
    run: 'dd if=/dev/zero of=file bs=4k count="$SMALL_WRITES" 2>"$OUT/dd"',
    check: 'sed -n 3s/bytes.*/bytes/p "$OUT/dd"; listing_untimed .',
    verify: 'contents .',
    targets: data,
  },
  {
    name: 'random-read',
    title: 'random 4 KiB reads of a lower file, cached',
    group: 'data',
    layers: ['random'],
    start: 'warm',
    packages: ['fio'],
    clock: 'fio',
    run: `${FIO} --rw=randread`,
    check: `grep -m 1 '"total_ios" : [1-9]' "$OUT/fio.json"`,
    verify: 'contents random',
    targets: data,
  },
  {
    name: 'random-write',
    title: 'random 4 KiB writes to an upper file',
    group: 'data',
    layers: ['empty'],
    writes: true,
    start: 'fresh',
    packages: ['fio'],
    before: 'mkdir random; dd if=/dev/zero of=random/file bs=1M count="$RANDOM_MIB" status=none',
    clock: 'fio',
    run: `${FIO} --rw=randwrite`,
    check: `grep -m 1 '"total_ios" : [1-9]' "$OUT/fio.json"; listing_untimed random`,
    verify: 'contents random',
    targets: data,
  },
  {
    name: 'append',
    title: 'one byte appended to a lower file of 1 GiB',
    group: 'data',
    layers: ['big'],
    writes: true,
    start: 'fresh',
    run: 'printf x >>big/file',
    check: 'listing_untimed big; tail -c 1 big/file | grep x',
    verify: 'contents big',
    targets: dataFasterThanKernel,
  },
];
