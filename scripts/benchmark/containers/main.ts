// The program behind scripts/bench-containers: containers started, entered, committed and removed by veneer and by others.

import { main } from '../compare.js';
import { CONTAINER_WORKLOADS } from './workloads.js';

main('bench-containers', CONTAINER_WORKLOADS);
