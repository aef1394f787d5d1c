import { renameMatrix } from './rename-matrix.js';
import { runFamily } from './run-family.js';

runFamily('rename-matrix', renameMatrix);
