// A container as `docker container inspect` shows it.

import path from 'node:path';
import { exposedPorts } from '../container/index.js';
import type { Container, LostTree } from '../container/index.js';
import { networkSettings } from '../network/index.js';
import type { Store } from '../store/index.js';
import { dockerConfig } from './docker-config.js';
import { DRIVER } from './inspect-image.js';
import { networkName } from './network-name.js';

export function describeContainer(store: Store, container: Container): object {
  const { id, name, created, image, imageReference, run, mountpoint, command, layers, directory, mounts } = container;
  const [program = '', ...args] = command;
  const config = { Hostname: id.slice(0, 12), ...container.config, Labels: container.labels };
  return {
    Id: id,
    Created: created.toISOString(),
    Path: program,
    Args: args,
    State: describeState(container),
    Image: image,
    ResolvConfPath: path.join(directory, 'resolv.conf'),
    HostnamePath: path.join(directory, 'hostname'),
    HostsPath: path.join(directory, 'hosts'),
    LogPath: path.join(directory, 'output.log'),
    Name: `/${name}`,
    RestartCount: run.restartCount,
    Driver: DRIVER,
    Platform: 'linux',
    HostConfig: container.host,
    Mountpoint: mountpoint ?? '',
    GraphDriver: {
      Name: DRIVER,
      Data: {
        LowerDir: store.layers.paths(layers).join(':'),
        MergedDir: mountpoint ?? '',
        UpperDir: path.join(directory, 'upper'),
        WorkDir: path.join(directory, 'work'),
      },
    },
    Mounts: mounts.map(({ Type, Name, Source, Destination, Driver, Mode, RW, Propagation }) => ({
      Type,
      ...(Name === undefined ? {} : { Name }),
      Source,
      Destination,
      ...(Driver === undefined ? {} : { Driver }),
      Mode,
      RW,
      Propagation,
    })),
    Config: { ...dockerConfig(config, imageReference) },
    NetworkSettings: {
      ...networkSettings(run.network, {
        network: networkName(container.host),
        exposed: exposedPorts(container.config),
      }),
      SandboxKey: run.pid === undefined ? '' : `/proc/${String(run.pid)}/ns/net`,
    },
  };
}

/** How Go writes a time that is none. */
const NEVER = '0001-01-01T00:00:00Z';

function lossText({ state, reason }: LostTree): string {
  return `the file system ${state === 'died' ? 'has died' : 'does not answer'}: ${reason}`;
}

/** docker's; one that only `mount` has made use of is mounted. */
function describeState({ run, state }: Container): object {
  const { status, pid = 0, exitCode = 0, oomKilled, startedAt, finishedAt, health, fileSystem } = run;
  const error = typeof fileSystem === 'object' ? lossText(fileSystem) : run.error;
  return {
    Status: status === 'created' && state === 'mounted' ? state : status,
    Running: status === 'running' || status === 'paused',
    Paused: status === 'paused',
    Restarting: status === 'restarting',
    OOMKilled: oomKilled,
    Dead: status === 'dead',
    Pid: pid,
    ExitCode: exitCode,
    Error: error ?? '',
    StartedAt: startedAt?.toISOString() ?? NEVER,
    FinishedAt: finishedAt?.toISOString() ?? NEVER,
    ...(health === undefined
      ? {}
      : { Health: { Status: health.status, FailingStreak: health.failingStreak, Log: health.log } }),
  };
}
