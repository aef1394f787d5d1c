import { peers } from './peers.js';
import { runFamily } from './run-family.js';

runFamily('peers', peers);
