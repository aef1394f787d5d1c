import { identity } from './identity.js';
import { runFamily } from './run-family.js';

runFamily('identity', identity);
