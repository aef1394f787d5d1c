import { readOnly } from './read-only.js';
import { runFamily } from './run-family.js';

runFamily('read-only', readOnly, { upper: false });
