import { io } from './io.js';
import { runFamily } from './run-family.js';

runFamily('io', io);
