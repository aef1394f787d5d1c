// Devices: what every container may use, what --device adds, and all there are for --privileged.

import { lstatSync, readdirSync, realpathSync, statSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { join, relative } from 'node:path';
import { VeneerError, hasCode, messageOf } from '../../core/index.js';
import type { DeviceMapping } from './host-config.js';
import type { OciDevice, OciDeviceRule } from './oci-spec.js';

/** Docker's (moby, oci/defaults.go): nodes of all kinds may be made, and these be used. */
const DEFAULT_RULES: readonly OciDeviceRule[] = [
  { allow: false, access: 'rwm' },
  { allow: true, type: 'c', access: 'm' },
  { allow: true, type: 'b', access: 'm' },
  ...[
    [1, 3],
    [1, 5],
    [1, 7],
    [1, 8],
    [1, 9],
    [5, 0],
    [5, 2],
  ].map(([major = 0, minor = 0]) => ({ allow: true, type: 'c' as const, major, minor, access: 'rwm' })),
  // /dev/pts/*
  { allow: true, type: 'c', major: 136, access: 'rwm' },
];

export interface SpecDevices {
  readonly devices: readonly OciDevice[];
  readonly rules: readonly OciDeviceRule[];
}

export interface DeviceChoice {
  readonly Privileged: boolean;
  readonly Devices: readonly DeviceMapping[];
  readonly DeviceCgroupRules: readonly string[];
}

/** Throws `not-found` for a device the host does not have, and `invalid`. */
export function specDevices({ Privileged, Devices, DeviceCgroupRules }: DeviceChoice): SpecDevices {
  const asked = Devices.map(hostDevices);
  if (Privileged) {
    const own = asked.flatMap(({ devices }) => devices);
    const taken = new Set(own.map(({ path }) => path));
    const all = devicesBelow('/dev', '/dev').filter(({ path }) => !taken.has(path));
    return { devices: [...all, ...own], rules: [{ allow: true, type: 'a', access: 'rwm' }] };
  }
  return {
    devices: asked.flatMap(({ devices }) => devices),
    rules: [...DEFAULT_RULES, ...asked.flatMap(({ rules }) => rules), ...DeviceCgroupRules.map(parseRule)],
  };
}

function hostDevices({ PathOnHost, PathInContainer, CgroupPermissions }: DeviceMapping): SpecDevices {
  let real: string;
  let stats: Stats;
  try {
    real = realpathSync(PathOnHost);
    stats = statSync(real);
  } catch (cause) {
    const why = hasCode(cause, 'ENOENT') ? 'there is no such file' : messageOf(cause);
    throw new VeneerError('not-found', `cannot give the device '${PathOnHost}': ${why}`, { cause });
  }
  const single = deviceAt(stats, PathInContainer);
  const devices = stats.isDirectory() ? devicesBelow(real, PathInContainer) : single === undefined ? [] : [single];
  if (devices.length === 0) throw new VeneerError('invalid', `'${PathOnHost}' is not a device`);
  const rules = devices.map(({ type, major, minor }) => ({
    allow: true,
    type: type === 'b' ? ('b' as const) : ('c' as const),
    major,
    minor,
    access: CgroupPermissions,
  }));
  return { devices, rules };
}

function deviceAt(stats: Stats, path: string): OciDevice | undefined {
  if (!stats.isCharacterDevice() && !stats.isBlockDevice()) return undefined;
  const { major, minor } = deviceNumbers(stats.rdev);
  const type = stats.isBlockDevice() ? 'b' : 'c';
  return { type, path, major, minor, fileMode: stats.mode & 0o777, uid: stats.uid, gid: stats.gid };
}

/** glibc's dev_t: sys/sysmacros.h. */
function deviceNumbers(rdev: number): { major: number; minor: number } {
  const bits = BigInt(rdev);
  const major = ((bits >> 8n) & 0xfffn) | ((bits >> 32n) & 0xfffff000n);
  const minor = (bits & 0xffn) | ((bits >> 12n) & 0xffffff00n);
  return { major: Number(major), minor: Number(minor) };
}

/** Those that every container has of its own (moby, oci/devices_linux.go). */
const OWN = new Set(['pts', 'shm', 'fd', 'mqueue', '.lxc', '.lxd-mounts', '.udev']);

function devicesBelow(directory: string, shown: string): OciDevice[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    if (OWN.has(entry.name)) return [];
    const path = join(directory, entry.name);
    const target = join(shown, relative(directory, path));
    if (entry.isDirectory()) return devicesBelow(path, target);
    if (entry.name === 'console' || (!entry.isCharacterDevice() && !entry.isBlockDevice())) return [];
    try {
      const device = deviceAt(lstatSync(path), target);
      return device === undefined ? [] : [device];
    } catch {
      return []; // Devices come and go while they are listed.
    }
  });
}

/** `c 1:3 rwm`, `b *:* m`. */
function parseRule(text: string): OciDeviceRule {
  const [, type, major = '', minor = '', access = ''] =
    /^([acb]) ([0-9]+|\*):([0-9]+|\*) ([rwm]{1,3})$/.exec(text) ?? [];
  if (type !== 'a' && type !== 'b' && type !== 'c') {
    throw new VeneerError('invalid', `'${text}' is not a rule for devices`, { hint: "write 'c 10:229 rwm'" });
  }
  return {
    allow: true,
    type,
    ...(major === '*' ? {} : { major: Number(major) }),
    ...(minor === '*' ? {} : { minor: Number(minor) }),
    access,
  };
}
