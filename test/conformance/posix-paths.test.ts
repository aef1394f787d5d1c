import { posixPaths } from './posix-paths.js';
import { runFamily } from './run-family.js';

// Names of all lengths and characters are asked of fuse-native in other families; these would take long.
runFamily('posix-paths', posixPaths, { native: false });
