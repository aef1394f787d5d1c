import { posixPaths } from './posix-paths.js';
import { runFamily } from './run-family.js';

runFamily('posix-paths', posixPaths);
