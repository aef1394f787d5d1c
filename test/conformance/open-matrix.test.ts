import { openMatrix } from './open-matrix.js';
import { runFamily } from './run-family.js';

runFamily('open-matrix', openMatrix);
