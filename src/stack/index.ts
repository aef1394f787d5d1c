export { LayerDir } from './layer-dir.js';
export { list } from './list.js';
export type { ListedName } from './list.js';
export { lookup } from './lookup.js';
export type { Found, FoundDirectory, FoundOther, Merged } from './lookup.js';
export { openStack } from './open-stack.js';
export type { Stack } from './open-stack.js';
export { RealDir } from './real-dir.js';
