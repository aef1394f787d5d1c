// What is to be mounted in a new container: --volume, --mount, --tmpfs, --volumes-from, and VOLUME of the image.

import { posix } from 'node:path';
import { VeneerError } from '../core/index.js';
import type { ContainerConfig, HostConfig, MountPoint, MountRequest } from '../runtime/index.js';
import { checkVolumeName, newVolumeName } from '../store/index.js';
import type { NewVolume, Store } from '../store/index.js';
import { refuseMissing } from './bind-source.js';
import { documentOf } from './document.js';

export interface ResolvedMounts {
  readonly mounts: readonly MountPoint[];
  /** Those that the container has; what is not there yet is made with it. */
  readonly volumes: readonly NewVolume[];
}

interface Wanted {
  readonly mount: MountPoint;
  readonly volume?: NewVolume;
}

/** Throws `invalid` for what is malformed, contradicts itself or is no place in a container, and `not-found` for --volumes-from
 * and for sources of --mount. */
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
  return { name: newVolumeName(), labels, isAnonymous: true };
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

/** mount(8)'s for every file system, and those of tmpfs(5) that docker knows. */
const TMPFS_WORDS =
  /^(?:r[ow]|(?:no)?(?:suid|dev|exec|atime|diratime|relatime|strictatime)|a?sync|dirsync|(?:no)?mand|(?:size|mode|uid|gid|nr_inodes|nr_blocks|mpol)=.*)$/;

function tmpfs(path: string, options: string): MountPoint {
  const unknown = options.split(',').find((word) => word !== '' && !TMPFS_WORDS.test(word));
  if (unknown !== undefined) throw new VeneerError('invalid', `tmpfs '${path}': '${unknown}' is not an option of it`);
  const RW = !options.split(',').includes('ro');
  return { Type: 'tmpfs', Source: '', Destination: destination(path), Mode: options, RW, Propagation: '' };
}

const PROPAGATIONS = ['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave'];

/** Labels of SELinux, which does not run here, and what only docker's desktops heed. */
const WITHOUT_EFFECT = ['z', 'Z', 'consistent', 'cached', 'delegated', 'rbind'];

/** Of each of these one at most, as docker has it. */
const ALTERNATIVES = [['ro', 'rw'], ['z', 'Z'], ['consistent', 'cached', 'delegated'], PROPAGATIONS];

function refuseContradictions(text: string, words: readonly string[]): void {
  for (const alternatives of ALTERNATIVES) {
    const [one, other] = words.filter((word) => alternatives.includes(word));
    if (other === undefined) continue;
    throw new VeneerError('invalid', `volume '${text}': '${String(one)}' and '${other}' do not go together`);
  }
}

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
  refuseContradictions(text, words);
  const RW = !words.includes('ro');
  const isVolume = !source.startsWith('/');
  const misplaced = words.find((word) => (isVolume ? PROPAGATIONS.includes(word) : word === 'nocopy'));
  if (misplaced !== undefined) {
    const kind = isVolume ? 'directories of the host' : 'volumes';
    throw new VeneerError('invalid', `volume '${text}': '${misplaced}' is for ${kind} alone`);
  }
  if (isVolume) {
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
  const { Propagation = 'rprivate', NonRecursive, CreateMountpoint, ReadOnlyNonRecursive } = options.BindOptions ?? {};
  if (CreateMountpoint !== true) refuseMissing(Source);
  const mount: MountPoint = {
    Type: 'bind',
    Source: posix.normalize(Source),
    Destination: destination(Target),
    Mode: '',
    RW,
    Propagation,
    ...(NonRecursive === true ? { NonRecursive: true } : {}),
    ...(ReadOnlyNonRecursive === true ? { WritableBelow: true } : {}),
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
