export { enterShell, namespaceObstacle, requireNamespace, returnToDirectory, runInNamespace } from './enter.js';
export { highestId, isRootless, ownUser } from './identity.js';
export { userRuntimeDirectory } from './runtime-directory.js';
