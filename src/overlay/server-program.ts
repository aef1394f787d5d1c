// Where the program of a server is.

import { fileURLToPath } from 'node:url';

/** In one piece (scripts/bundle.mjs), whoever starts it. */
export const SERVER = fileURLToPath(new URL('../program/server-main.cjs', import.meta.url));
