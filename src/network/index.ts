export { hostsFile, parseResolvConf, reachableResolver, hostResolver, resolvConf } from './etc-files.js';
export type { ResolverSettings } from './etc-files.js';
export { formatPorts, hostEnd, portLines } from './format-ports.js';
export { parseNetworkMode } from './network-mode.js';
export { networkSettings } from './network-settings.js';
export { parseExpose, parsePublish, publishAll } from './publish.js';
export type { ExposedPort } from './publish.js';
export { prepareNetwork, tearDownNetwork } from './set-up.js';
export type {
  NetworkInterface,
  NetworkMode,
  NetworkRequest,
  NetworkState,
  PortBinding,
  PreparedNetwork,
} from './types.js';
