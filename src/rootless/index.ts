export { enterShell, namespaceObstacle, requireNamespace, returnToDirectory, runInNamespace } from './enter.js';
export { highestId, isRootless } from './identity.js';
export { userRuntimeDirectory } from './runtime-directory.js';
