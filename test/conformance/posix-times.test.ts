import { posixTimes } from './posix-times.js';
import { runFamily } from './run-family.js';

// Through fuse-native times are in milliseconds, which is too coarse to see that they do not change.
runFamily('posix-times', posixTimes, { native: false });
