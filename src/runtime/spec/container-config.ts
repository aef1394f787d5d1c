// How a container runs: what images say, and what only a container has. The names are Docker's.

import type { RuntimeConfig } from '../../image/index.js';

export interface ContainerConfig extends RuntimeConfig {
  /** '' for the start of the ID, or the host's where its network is used. */
  readonly Hostname?: string;
  readonly Domainname?: string;
  readonly Tty?: boolean;
  readonly OpenStdin?: boolean;
  /** Whether the container's input ends when the first one attached goes. */
  readonly StdinOnce?: boolean;
  readonly AttachStdin?: boolean;
  readonly AttachStdout?: boolean;
  readonly AttachStderr?: boolean;
  /** Seconds between the stop signal and SIGKILL. */
  readonly StopTimeout?: number;
}

/** Those a commit leaves to the container. */
export const OF_THE_CONTAINER = [
  'Hostname',
  'Domainname',
  'Tty',
  'OpenStdin',
  'StdinOnce',
  'AttachStdin',
  'AttachStdout',
  'AttachStderr',
  'StopTimeout',
] as const satisfies readonly (keyof ContainerConfig)[];
