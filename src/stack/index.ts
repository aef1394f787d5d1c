export { LayerDir } from './layer-dir.js';
export { firstPartOfNames, list, showsNothing } from './list.js';
export type { FirstParts, Ino } from './list.js';
export { isMetadataOnly, lookup } from './lookup.js';
export type { Found, FoundDirectory, FoundOther, Merged } from './lookup.js';
export { openStack, openStacks } from './open-stack.js';
export type { Stack, StackPair } from './open-stack.js';
export { RealDir } from './real-dir.js';
