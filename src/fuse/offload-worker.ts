// A thread behind Offload: takes jobs one after the other and does them with blocking calls.

import { parentPort, workerData } from 'node:worker_threads';
import { copyData, copyFileRange, fallocate, fdatasync, fsync, syncfs, write } from '../sys/index.js';
import type { Job, OffloadRequest, OffloadSetup } from './offload.js';

const setup = workerData as OffloadSetup;
const flags = new Int32Array(setup.flags);
const results = new Float64Array(setup.results);
const one = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]);

function perform(job: Job): number {
  switch (job.kind) {
    case 'copy':
      return copyData(job.from, job.to, job.size);
    case 'copy-range':
      return copyFileRange({ fd: job.from, offset: job.offsetFrom }, { fd: job.to, offset: job.offsetTo }, job.length);
    case 'fallocate':
      return fallocate(job.fd, job.mode, job.offset, job.length);
    case 'fsync':
      return fsync(job.fd);
    case 'fdatasync':
      return fdatasync(job.fd);
    case 'syncfs':
      return syncfs(job.fd);
  }
}

parentPort?.on('message', ({ slot, job }: OffloadRequest) => {
  results[slot] = perform(job);
  Atomics.store(flags, slot, 1);
  write(setup.wakeFd, one);
});
