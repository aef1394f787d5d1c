// The specification of a container with docker's defaults and nothing asked for.

import type { RuntimeConfig } from '../image/index.js';

/** moby, oci/caps/defaults.go. */
const CAPABILITIES = [
  'CAP_AUDIT_WRITE',
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_MKNOD',
  'CAP_NET_BIND_SERVICE',
  'CAP_NET_RAW',
  'CAP_SETFCAP',
  'CAP_SETGID',
  'CAP_SETPCAP',
  'CAP_SETUID',
  'CAP_SYS_CHROOT',
];
const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const NAMESPACES = ['pid', 'network', 'ipc', 'uts', 'mount'];

interface Place {
  readonly rootfs: string;
  readonly id: string;
  readonly terminal: boolean;
}

const mount = (destination: string, type: string, options: readonly string[]): object => ({
  destination,
  type,
  source: type,
  options,
});

export function plainSpec(config: RuntimeConfig, { rootfs, id, terminal }: Place): object {
  const { WorkingDir: cwd = '', Env: env = [], Entrypoint: entrypoint = [], Cmd: command = [] } = config;
  return {
    ociVersion: '1.0.2',
    process: {
      terminal,
      user: { uid: 0, gid: 0 },
      args: [...entrypoint, ...command],
      env: [PATH, ...env],
      cwd: cwd === '' ? '/' : cwd,
      capabilities: { bounding: CAPABILITIES, effective: CAPABILITIES, permitted: CAPABILITIES },
    },
    root: { path: rootfs },
    hostname: id.slice(0, 12),
    mounts: [
      mount('/proc', 'proc', ['nosuid', 'noexec', 'nodev']),
      mount('/dev', 'tmpfs', ['nosuid', 'strictatime', 'mode=755', 'size=65536k']),
      mount('/dev/pts', 'devpts', ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5']),
      mount('/dev/shm', 'tmpfs', ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=65536k']),
      mount('/dev/mqueue', 'mqueue', ['nosuid', 'noexec', 'nodev']),
      mount('/sys', 'sysfs', ['nosuid', 'noexec', 'nodev', 'ro']),
    ],
    linux: { cgroupsPath: `/veneer/${id}`, namespaces: NAMESPACES.map((type) => ({ type })) },
  };
}
