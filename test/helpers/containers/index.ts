export { boxStore } from './box-store.js';
export type { BoxStore } from './box-store.js';
export { findBusybox, writeBoxTar } from './box-image.js';
export { processesOf, runDirectory, watchLeaks } from './leaks.js';
export type { LeakWatch } from './leaks.js';
export { podmanIn } from './podman.js';
export type { Podman } from './podman.js';
export { tmux } from './tmux.js';
export type { Tmux } from './tmux.js';
