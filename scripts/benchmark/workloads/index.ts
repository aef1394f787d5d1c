// All workloads, in the order in which they run and are shown.

import type { Workload } from '../workload.js';
import { DATA } from './data.js';
import { LAYERS } from './layers.js';
import { METADATA } from './metadata.js';
import { PARALLEL } from './parallel.js';
import { READING } from './reading.js';
import { REAL } from './real.js';

export const WORKLOADS: readonly Workload[] = [...METADATA, ...READING, ...DATA, ...LAYERS, ...PARALLEL, ...REAL];
