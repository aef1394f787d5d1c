import { readdir } from './readdir.js';
import { runFamily } from './run-family.js';

// Through fuse-native each of 10,000 entries is looked up by its path, one after the other: half a minute for each look.
runFamily('readdir', readdir, { native: false });
