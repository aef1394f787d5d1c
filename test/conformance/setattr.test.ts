import { setattr } from './setattr.js';
import { runFamily } from './run-family.js';

runFamily('setattr', setattr);
