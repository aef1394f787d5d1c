// The program behind scripts/bench-registry: images pulled and pushed by veneer and by others.

import { main } from '../compare.js';
import { REGISTRY_WORKLOADS } from './workloads.js';

main('bench-registry', REGISTRY_WORKLOADS);
