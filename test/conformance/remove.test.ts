import { remove } from './remove.js';
import { runFamily } from './run-family.js';

runFamily('remove', remove);
