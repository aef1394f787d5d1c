export { loadFuseNative } from './library.js';
export type { FuseNative } from './library.js';
export { NativeSession } from './session.js';
export type { NativeSessionOptions } from './session.js';
