import { posixPermissions } from './posix-permissions.js';
import { runFamily } from './run-family.js';

runFamily('posix-permissions', posixPermissions);
