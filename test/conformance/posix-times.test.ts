import { posixTimes } from './posix-times.js';
import { runFamily } from './run-family.js';

runFamily('posix-times', posixTimes);
