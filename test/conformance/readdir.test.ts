import { readdir } from './readdir.js';
import { runFamily } from './run-family.js';

runFamily('readdir', readdir);
