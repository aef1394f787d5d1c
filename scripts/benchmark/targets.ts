// What the project wants to reach, as ratios of medians: lower is better.

import type { Target } from './workload.js';

export const KERNEL = 'kernel';
export const PEER = 'fuse-overlayfs';

/** Against the best-known peer. */
const halfOfPeer: Target = { against: PEER, limit: 0.5 };
const notAbovePeer: Target = { against: PEER, limit: 1 };

const kernelAtMost = (limit: number): Target => ({ against: KERNEL, limit });
const fasterThanKernel: Target = { against: KERNEL, limit: 1, below: true };

export const metadata = (limit?: number): readonly Target[] =>
  limit === undefined ? [halfOfPeer] : [kernelAtMost(limit), halfOfPeer];
export const metadataFasterThanKernel: readonly Target[] = [fasterThanKernel, halfOfPeer];
export const reading = (limit?: number): readonly Target[] =>
  limit === undefined ? [notAbovePeer] : [kernelAtMost(limit), notAbovePeer];
export const data: readonly Target[] = [kernelAtMost(1.05), notAbovePeer];
export const dataFasterThanKernel: readonly Target[] = [fasterThanKernel, notAbovePeer];
export const realWork: readonly Target[] = [kernelAtMost(1.15), notAbovePeer];

/** Four clients: no ratio is worse than that of one. */
export const asOneClient = (workload: string): readonly Target[] => [
  { against: KERNEL, notWorseThan: workload },
  { against: PEER, notWorseThan: workload },
];
