// The program behind scripts/bench-images: images made, saved and committed by veneer and by others.

import { main } from '../compare.js';
import { IMAGE_WORKLOADS } from './workloads.js';

main('bench-images', IMAGE_WORKLOADS);
