import { fileFlags } from './file-flags.js';
import { runFamily } from './run-family.js';

runFamily('file-flags', fileFlags);
