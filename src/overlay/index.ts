export type { IdRange, IdRules } from './id-map.js';
export type { OverlayOptions, Transport } from './options.js';
export { mountedAt, serveOverlay, startOverlay, unmountOverlay } from './start.js';
export { validateOverlay } from './validate.js';
