export { enterShell, namespaceObstacle, requireNamespace, returnToDirectory, runInNamespace } from './enter.js';
export { isRootless } from './identity.js';
export { userRuntimeDirectory } from './runtime-directory.js';
