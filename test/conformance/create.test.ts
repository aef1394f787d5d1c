import { create } from './create.js';
import { runFamily } from './run-family.js';

runFamily('create', create);
