// What is to be mounted in a new container: --volume, --mount, --tmpfs, --volumes-from, and VOLUME of the image.

import { randomBytes } from 'node:crypto';
import { posix } from 'node:path';
import { VeneerError } from '../core/index.js';
import type { ContainerConfig, HostConfig, MountPoint, MountRequest } from '../runtime/index.js';
import { checkVolumeName } from '../store/index.js';
import type { NewVolume, Store } from '../store/index.js';
import { documentOf } from './view.js';

export interface ResolvedMounts {
  readonly mounts: readonly MountPoint[];
  /** Those that the container has; what is not there yet is made with it. */
  readonly volumes: readonly NewVolume[];
}

interface Wanted {
  readonly mount: MountPoint;
  readonly volume?: NewVolume;
}

/** Throws `invalid` for what is malformed, contradicts itself or is no place in a container, and `not-found` for --volumes-from. */
export function resolveMounts(store: Store, config: ContainerConfig, host: HostConfig): ResolvedMounts {
  const asked = [
    ...host.Binds.map(parseBind),
    ...host.Mounts.map(requested),
    ...Object.entries(host.Tmpfs).map(([path, options]): Wanted => ({ mount: tmpfs(path, options) })),
  ];
  const chosen = new Map<string, Wanted>();
  for (const wanted of asked) {
    const { Destination } = wanted.mount;
    if (chosen.has(Destination)) {
      throw new VeneerError('invalid', `two things are to be mounted at '${Destination}'`);
    }
    chosen.set(Destination, wanted);
  }
  // What is asked for by itself comes before what comes along.
  const along = [
    ...host.VolumesFrom.flatMap((text) => volumesFrom(store, text)),
    ...Object.keys(config.Volumes ?? {}).map((path) => anonymous(path)),
  ];
  for (const wanted of along) {
    if (!chosen.has(wanted.mount.Destination)) chosen.set(wanted.mount.Destination, wanted);
  }
  const all = [...chosen.values()];
  return { mounts: all.map(({ mount }) => mount), volumes: all.flatMap(({ volume }) => volume ?? []) };
}

function destination(path: string): string {
  const normal = posix.normalize(path).replace(/(?<=.)\/$/, '');
  if (path.startsWith('/') && normal !== '/') return normal;
  throw new VeneerError('invalid', `cannot mount at '${path}' in a container`, {
    hint: 'name an absolute path other than /',
  });
}

function named(name: string, labels: Readonly<Record<string, string>> = {}): NewVolume {
  checkVolumeName(name);
  return { name, labels, isAnonymous: false };
}

function unnamed(labels: Readonly<Record<string, string>> = {}): NewVolume {
  return { name: randomBytes(32).toString('hex'), labels, isAnonymous: true };
}

/** Where its files are is the store's to say. */
function volumeAt(volume: NewVolume, path: string, more: Partial<MountPoint> = {}): Wanted {
  const mount: MountPoint = {
    Type: 'volume',
    Name: volume.name,
    Source: '',
    Destination: destination(path),
    Driver: 'local',
    Mode: '',
    RW: true,
    Propagation: '',
    ...more,
  };
  return { mount, volume };
}

const anonymous = (path: string): Wanted => volumeAt(unnamed(), path);

function tmpfs(path: string, options: string): MountPoint {
  const RW = !options.split(',').includes('ro');
  return { Type: 'tmpfs', Source: '', Destination: destination(path), Mode: options, RW, Propagation: '' };
}

const PROPAGATIONS = ['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave'];

/** Labels of SELinux, which does not run here, and what only docker's desktops heed. */
const WITHOUT_EFFECT = ['z', 'Z', 'consistent', 'cached', 'delegated', 'rbind'];

/** SOURCE:DESTINATION[:OPTIONS]. */
function parseBind(text: string): Wanted {
  const [source = '', path = '', mode = '', ...rest] = text.split(':');
  const words = mode.split(',').filter((word) => word !== '');
  const known = ['ro', 'rw', 'nocopy', 'bind', ...PROPAGATIONS, ...WITHOUT_EFFECT];
  const unknown = words.find((word) => !known.includes(word));
  if (rest.length > 0 || source === '' || path === '') {
    throw new VeneerError('invalid', `'${text}' is not a volume`, { hint: 'write [VOLUME|DIRECTORY:]PATH[:OPTIONS]' });
  }
  if (unknown !== undefined) throw new VeneerError('invalid', `volume '${text}': '${unknown}' is not an option of it`);
  const RW = !words.includes('ro');
  if (!source.startsWith('/')) {
    return volumeAt(named(source), path, { Mode: mode, RW, ...(words.includes('nocopy') ? { NoCopy: true } : {}) });
  }
  const mount: MountPoint = {
    Type: 'bind',
    Source: posix.normalize(source),
    Destination: destination(path),
    Mode: mode,
    RW,
    Propagation: words.find((word) => PROPAGATIONS.includes(word)) ?? 'rprivate',
    ...(words.includes('bind') ? { NonRecursive: true } : {}),
    CreateSource: true,
  };
  return { mount };
}

function requested({ Type, Source, Target, ReadOnly, ...options }: MountRequest): Wanted {
  const RW = ReadOnly !== true;
  if (Type === 'tmpfs') {
    const { SizeBytes = 0, Mode } = options.TmpfsOptions ?? {};
    const size = SizeBytes > 0 ? [`size=${String(SizeBytes)}`] : [];
    const mode = Mode === undefined ? [] : [`mode=${Mode.toString(8)}`];
    return { mount: tmpfs(Target, [...(RW ? [] : ['ro']), ...size, ...mode].join(',')) };
  }
  if (Type === 'volume') {
    const { NoCopy, Labels } = options.VolumeOptions ?? {};
    const volume = Source === '' ? unnamed(Labels) : named(Source, Labels);
    return volumeAt(volume, Target, { Mode: 'z', RW, ...(NoCopy === true ? { NoCopy: true } : {}) });
  }
  if (!Source.startsWith('/')) {
    throw new VeneerError('invalid', `cannot mount '${Source}' in a container: it is not an absolute path`);
  }
  const { Propagation = 'rprivate', NonRecursive, CreateMountpoint } = options.BindOptions ?? {};
  const mount: MountPoint = {
    Type: 'bind',
    Source: posix.normalize(Source),
    Destination: destination(Target),
    Mode: '',
    RW,
    Propagation,
    ...(NonRecursive === true ? { NonRecursive: true } : {}),
    ...(CreateMountpoint === true ? { CreateSource: true } : {}),
  };
  return { mount };
}

/** CONTAINER[:ro|rw]: what it has, at the same places. */
function volumesFrom(store: Store, text: string): Wanted[] {
  const [, reference = text, mode] = /^(.+?)(?::(ro|rw|z|Z))?$/.exec(text) ?? [];
  const { mounts } = documentOf(store, store.containers.resolve(reference));
  return mounts
    .filter(({ Type }) => Type !== 'tmpfs')
    .map((mount) => ({
      mount: { ...mount, RW: mount.RW && mode !== 'ro' },
      ...(mount.Name === undefined ? {} : { volume: store.volumes.get(mount.Name) }),
    }));
}
