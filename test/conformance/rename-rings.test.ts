import { renameRings } from './rename-rings.js';
import { runFamily } from './run-family.js';

runFamily('rename-rings', renameRings);
