import { posixOperations } from './posix-operations.js';
import { runFamily } from './run-family.js';

runFamily('posix-operations', posixOperations);
