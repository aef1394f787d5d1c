import { lookup } from './lookup.js';
import { runFamily } from './run-family.js';

runFamily('lookup', lookup);
