export * from './bytes.js';
export * from './digest.js';
export * from './errno.js';
export * from './errors.js';
export * from './or-aborted.js';
