export type { IdRange, IdRules } from './id-map.js';
export type { OverlayOptions, Transport } from './options.js';
export { openStatistics } from './statistics-client.js';
export type { StatisticsConnection } from './statistics-client.js';
export { ratesBetween } from './statistics-rates.js';
export type { OperationRate, ServerRates } from './statistics-rates.js';
export { mountedAt, unmountOverlay } from './end.js';
export { serveOverlay, startOverlay } from './start.js';
export { validateOverlay } from './validate.js';
