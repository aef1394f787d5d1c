export { importRootfs } from './import.js';
export type { ImportOptions, ImportProgress, ImportSource } from './import.js';
