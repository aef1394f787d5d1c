// The configuration of images and containers with all the names that docker's inspect has, set or not.

import type { RuntimeConfig } from '../image/index.js';
import { NIL_LIST, NIL_MAP } from './template.js';

/** docker's `Config`. What it leaves out where it is not set is left out here; what this program does not know stays. */
export function dockerConfig(config: RuntimeConfig, image = ''): object {
  const { User, ExposedPorts, Env, Cmd, Healthcheck, Volumes, WorkingDir, Entrypoint, ...rest } = config;
  const { OnBuild, Labels, StopSignal, Shell, ...others } = rest;
  return {
    Hostname: '',
    Domainname: '',
    User: User ?? '',
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    ...(ExposedPorts === undefined ? {} : { ExposedPorts }),
    Tty: false,
    OpenStdin: false,
    StdinOnce: false,
    Env: Env ?? NIL_LIST,
    Cmd: Cmd ?? NIL_LIST,
    ...(Healthcheck === undefined ? {} : { Healthcheck }),
    Image: image,
    Volumes: Volumes ?? NIL_MAP,
    WorkingDir: WorkingDir ?? '',
    Entrypoint: Entrypoint ?? NIL_LIST,
    OnBuild: OnBuild ?? NIL_LIST,
    Labels: Labels ?? NIL_MAP,
    ...(StopSignal === undefined ? {} : { StopSignal }),
    ...(Shell === undefined ? {} : { Shell }),
    ...others,
  };
}
