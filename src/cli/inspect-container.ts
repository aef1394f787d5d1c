// A container as `docker container inspect` shows it, as far as there is something to show: nothing runs in it.

import path from 'node:path';
import { exposedPorts } from '../container/index.js';
import type { Container } from '../container/index.js';
import { networkSettings } from '../network/index.js';
import type { Store } from '../store/index.js';
import { dockerConfig } from './docker-config.js';
import { DRIVER } from './inspect-image.js';

export function describeContainer(store: Store, container: Container): object {
  const { id, name, created, image, imageReference, state, mountpoint, command, layers, directory } = container;
  const [program = '', ...args] = command;
  return {
    Id: id,
    Created: created.toISOString(),
    Path: program,
    Args: args,
    State: { Status: state, Running: false, Paused: false, Restarting: false, OOMKilled: false, Dead: false, Pid: 0 },
    Image: image,
    LogPath: path.join(directory, 'log'),
    Name: `/${name}`,
    RestartCount: 0,
    Driver: DRIVER,
    Platform: 'linux',
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
    Mounts: [],
    NetworkSettings: networkSettings(container.run.network, exposedPorts(container.config)),
    Config: { ...dockerConfig({ ...container.config, Labels: container.labels }, imageReference) },
  };
}
