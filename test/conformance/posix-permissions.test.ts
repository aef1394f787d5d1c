import { posixPermissions } from './posix-permissions.js';
import { runFamily } from './run-family.js';

// Through fuse-native there is nobody but the user who mounts, whom permissions do not hold.
runFamily('posix-permissions', posixPermissions, { native: false });
