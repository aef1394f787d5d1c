export * from './oci-names.js';
export * from './overlay-marks.js';
