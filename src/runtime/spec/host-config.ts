// How a container is tied to its host: the fields and the names of Docker's HostConfig (Engine API).

export interface PortBindingEntry {
  /** '' for all addresses. */
  readonly HostIp: string;
  /** '' for one that is chosen at the start. */
  readonly HostPort: string;
}

/** `--mount`, as it was asked for. */
export interface MountRequest {
  readonly Type: 'bind' | 'volume' | 'tmpfs';
  /** A host path, or the name of a volume; '' for a volume without a name. */
  readonly Source: string;
  readonly Target: string;
  readonly ReadOnly?: boolean;
  readonly BindOptions?: {
    readonly Propagation?: string;
    readonly NonRecursive?: boolean;
    readonly CreateMountpoint?: boolean;
    readonly ReadOnlyNonRecursive?: boolean;
    readonly ReadOnlyForceRecursive?: boolean;
  };
  readonly VolumeOptions?: { readonly NoCopy?: boolean; readonly Labels?: Readonly<Record<string, string>> };
  /** SizeBytes 0 or absent: unlimited. */
  readonly TmpfsOptions?: { readonly SizeBytes?: number; readonly Mode?: number };
}

export interface DeviceMapping {
  readonly PathOnHost: string;
  readonly PathInContainer: string;
  /** Of `r`, `w` and `m`. */
  readonly CgroupPermissions: string;
}

export interface Ulimit {
  /** `nofile`. */
  readonly Name: string;
  /** -1: unlimited. */
  readonly Soft: number;
  readonly Hard: number;
}

export interface RestartPolicy {
  readonly Name: 'no' | 'always' | 'unless-stopped' | 'on-failure';
  /** Of `on-failure`; 0: no maximum. */
  readonly MaximumRetryCount: number;
}

export interface LogConfig {
  readonly Type: string;
  readonly Config: Readonly<Record<string, string>>;
}

export interface HostConfig {
  /** `-v`: SOURCE:DESTINATION[:OPTIONS]. */
  readonly Binds: readonly string[];
  readonly Mounts: readonly MountRequest[];
  /** CONTAINER[:ro|rw]. */
  readonly VolumesFrom: readonly string[];
  /** Destination -> options. */
  readonly Tmpfs: Readonly<Record<string, string>>;
  /** none, host, bridge, private or container:ID; 'default' for what fits who asks. */
  readonly NetworkMode: string;
  /** By port in the container: `80/tcp`. */
  readonly PortBindings: Readonly<Record<string, readonly PortBindingEntry[]>>;
  readonly PublishAllPorts: boolean;
  readonly AutoRemove: boolean;
  readonly RestartPolicy: RestartPolicy;
  readonly LogConfig: LogConfig;
  readonly CapAdd: readonly string[];
  readonly CapDrop: readonly string[];
  readonly Privileged: boolean;
  /** As `--security-opt`. */
  readonly SecurityOpt: readonly string[];
  readonly ReadonlyRootfs: boolean;
  readonly Init: boolean;
  readonly GroupAdd: readonly string[];
  readonly Dns: readonly string[];
  readonly DnsOptions: readonly string[];
  readonly DnsSearch: readonly string[];
  /** HOST:ADDRESS. */
  readonly ExtraHosts: readonly string[];
  /** '', none, private, shareable, host or container:ID. */
  readonly IpcMode: string;
  /** '', host or container:ID. */
  readonly PidMode: string;
  /** '' or host. */
  readonly UTSMode: string;
  /** '', private or host. */
  readonly CgroupnsMode: string;
  readonly UsernsMode: string;
  readonly CgroupParent: string;
  /** Bytes. */
  readonly ShmSize: number;
  readonly Sysctls: Readonly<Record<string, string>>;
  readonly Annotations: Readonly<Record<string, string>>;
  /** The OCI runtime; '' for the default one. */
  readonly Runtime: string;
  readonly Devices: readonly DeviceMapping[];
  readonly DeviceCgroupRules: readonly string[];
  readonly Ulimits: readonly Ulimit[];
  /** Bytes; 0: no limit. */
  readonly Memory: number;
  /** Memory and swap together; 0: twice the memory, -1: no limit. */
  readonly MemorySwap: number;
  readonly MemoryReservation: number;
  /** 0 to 100; -1: the host's. */
  readonly MemorySwappiness: number;
  readonly OomKillDisable: boolean;
  readonly OomScoreAdj: number;
  /** Billionths of a processor; 0: no limit. */
  readonly NanoCpus: number;
  readonly CpuShares: number;
  /** Microseconds. */
  readonly CpuPeriod: number;
  readonly CpuQuota: number;
  readonly CpusetCpus: string;
  readonly CpusetMems: string;
  /** 10 to 1000; 0: the host's. */
  readonly BlkioWeight: number;
  /** 0 and -1: no limit. */
  readonly PidsLimit: number;
}

/** A container that was asked for without any option. */
export const DEFAULT_HOST_CONFIG: HostConfig = {
  Binds: [],
  Mounts: [],
  VolumesFrom: [],
  Tmpfs: {},
  NetworkMode: 'default',
  PortBindings: {},
  PublishAllPorts: false,
  AutoRemove: false,
  RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
  LogConfig: { Type: 'k8s-file', Config: {} },
  CapAdd: [],
  CapDrop: [],
  Privileged: false,
  SecurityOpt: [],
  ReadonlyRootfs: false,
  Init: false,
  GroupAdd: [],
  Dns: [],
  DnsOptions: [],
  DnsSearch: [],
  ExtraHosts: [],
  IpcMode: 'private',
  PidMode: '',
  UTSMode: '',
  CgroupnsMode: '',
  UsernsMode: '',
  CgroupParent: '',
  ShmSize: 64 * 2 ** 20,
  Sysctls: {},
  Annotations: {},
  Runtime: '',
  Devices: [],
  DeviceCgroupRules: [],
  Ulimits: [],
  Memory: 0,
  MemorySwap: 0,
  MemoryReservation: 0,
  MemorySwappiness: -1,
  OomKillDisable: false,
  OomScoreAdj: 0,
  NanoCpus: 0,
  CpuShares: 0,
  CpuPeriod: 0,
  CpuQuota: 0,
  CpusetCpus: '',
  CpusetMems: '',
  BlkioWeight: 0,
  PidsLimit: 0,
};
