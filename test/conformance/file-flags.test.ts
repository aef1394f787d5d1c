import { fileFlags } from './file-flags.js';
import { runFamily } from './run-family.js';

// fuse-native has no IOCTL.
runFamily('file-flags', fileFlags, { native: false });
