// What is mounted in a container: what every one has, its files of /etc, and its volumes.

import { existsSync } from 'node:fs';
import os from 'node:os';
import type { HostConfig } from './host-config.js';
import type { OciMount } from './oci-spec.js';

/** A mount as `inspect` shows it, and what the runtime has to know besides. */
export interface MountPoint {
  readonly Type: 'bind' | 'volume' | 'tmpfs';
  /** Of a volume. */
  readonly Name?: string;
  /** On the host; '' for a tmpfs. */
  readonly Source: string;
  readonly Destination: string;
  /** Of a volume: local. */
  readonly Driver?: string;
  /** The options as they were given; those of a tmpfs, too. */
  readonly Mode: string;
  readonly RW: boolean;
  readonly Propagation: string;
  /** A volume that is not filled from the image. */
  readonly NoCopy?: true;
  /** A bind mount without what is mounted below its source. */
  readonly NonRecursive?: true;
  /** A read-only one of which what is mounted below its source is not. */
  readonly WritableBelow?: true;
  /** A host directory that is made where it is missing, as `-v` does. */
  readonly CreateSource?: true;
}

/** Files of the host that are mounted in /etc. */
export interface EtcFiles {
  readonly hosts: string;
  readonly hostname: string;
  readonly resolvConf: string;
}

export interface MountsInput {
  readonly host: HostConfig;
  readonly etcFiles: EtcFiles | undefined;
  readonly mounts: readonly MountPoint[];
  /** Whether /sys/fs/cgroup is shown. */
  readonly cgroups: boolean;
  /** Whether a new sysfs may be mounted: not in another's network without rights over it. */
  readonly ownSysfs: boolean;
  /** What is run as /dev/init. */
  readonly init: string | undefined;
  /** Where /dev/shm is on the host, if others have it, too. */
  readonly sharedMemory: string | undefined;
}

/** What the mounts need of the root: one that passes mounts on, or gets them from the host (moby, daemon/oci_linux.go). */
export function rootPropagation(mounts: readonly MountPoint[]): 'shared' | 'rslave' | 'rprivate' {
  const has = (pattern: RegExp): boolean => mounts.some(({ Propagation }) => pattern.test(Propagation));
  return has(/^r?shared$/) ? 'shared' : has(/^r?slave$/) ? 'rslave' : 'rprivate';
}

const DEPTH = (path: string): number => path.split('/').filter((part) => part !== '').length;

/** In the order in which they are mounted: what lies above before what lies below. */
export function specMounts(input: MountsInput): OciMount[] {
  const own = input.mounts.map(volumeMount);
  const taken = new Set(own.map(({ destination }) => destination));
  const standard = [...defaultMounts(input), ...etcMounts(input)].filter(({ destination }) => !taken.has(destination));
  const sorted = own.toSorted((one, other) => DEPTH(one.destination) - DEPTH(other.destination));
  return [...standard, ...sorted, ...initMount(input.init)];
}

function defaultMounts({ host, cgroups, ownSysfs, sharedMemory }: MountsInput): OciMount[] {
  const access = host.Privileged ? 'rw' : 'ro';
  const mounts: OciMount[] = [
    { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
    },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
    },
    ownSysfs
      ? { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', access] }
      : {
          destination: '/sys',
          type: 'bind',
          source: '/sys',
          options: ['rbind', 'rslave', 'nosuid', 'noexec', 'nodev', access],
        },
  ];
  if (cgroups) {
    const options = ['nosuid', 'noexec', 'nodev', 'relatime', access];
    mounts.push({ destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options });
  }
  return [...mounts, ...ipcMounts(host, sharedMemory)];
}

function ipcMounts({ IpcMode, ShmSize }: HostConfig, sharedMemory: string | undefined): OciMount[] {
  if (IpcMode === 'none') return [];
  if (IpcMode === 'host') {
    return ['/dev/shm', '/dev/mqueue']
      .filter((path) => existsSync(path))
      .map((path) => ({
        destination: path,
        type: 'bind',
        source: path,
        options: ['rbind', 'rprivate', 'nosuid', 'noexec', 'nodev'],
      }));
  }
  const options = ['nosuid', 'noexec', 'nodev'];
  return [
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options },
    sharedMemory === undefined
      ? {
          destination: '/dev/shm',
          type: 'tmpfs',
          source: 'shm',
          options: [...options, 'mode=1777', `size=${String(ShmSize)}`],
        }
      : { destination: '/dev/shm', type: 'bind', source: sharedMemory, options: ['bind', 'rprivate', ...options] },
  ];
}

function etcMounts({ etcFiles, host }: MountsInput): OciMount[] {
  if (etcFiles === undefined) return [];
  const options = ['rbind', 'rprivate', host.ReadonlyRootfs ? 'ro' : 'rw'];
  const bind = (destination: string, source: string): OciMount => ({ destination, type: 'bind', source, options });
  return [
    bind('/etc/resolv.conf', etcFiles.resolvConf),
    bind('/etc/hostname', etcFiles.hostname),
    bind('/etc/hosts', etcFiles.hosts),
  ];
}

/** Linux 5.12 (mount_setattr) can make a mount read-only with what is below it, and docker does so since 25. */
const CAN_RECURSE = /^(?:[6-9]|[1-9][0-9]|5\.(?:1[2-9]|[2-9][0-9]))/.test(os.release());

function volumeMount(mount: MountPoint): OciMount {
  const { Type, Source, Destination, Mode, RW, NonRecursive, WritableBelow } = mount;
  if (Type === 'tmpfs')
    return { destination: Destination, type: 'tmpfs', source: 'tmpfs', options: tmpfsOptions(Mode) };
  const propagation = mount.Propagation === '' ? 'rprivate' : mount.Propagation;
  // crun takes the r of a propagation for the mount's own.
  const options = NonRecursive === true ? ['bind', propagation.replace(/^r/, '')] : ['rbind', propagation];
  const isDeep = CAN_RECURSE && NonRecursive !== true && WritableBelow !== true && Type === 'bind';
  options.push(RW ? 'rw' : 'ro', ...(!RW && isDeep ? ['rro'] : []));
  return { destination: Destination, type: 'bind', source: Source, options };
}

/** Docker's defaults, each of which its opposite takes away. */
const TMPFS_DEFAULTS = ['noexec', 'nosuid', 'nodev'];

function tmpfsOptions(text: string): string[] {
  const given = text.split(',').filter((option) => option !== '');
  const kept = TMPFS_DEFAULTS.filter((option) => !given.includes(option) && !given.includes(option.slice(2)));
  return [...kept, ...given];
}

function initMount(program: string | undefined): OciMount[] {
  if (program === undefined) return [];
  return [{ destination: '/dev/init', type: 'bind', source: program, options: ['bind', 'ro', 'rprivate'] }];
}
