// The options of `run` and `create`: docker's, by their names.

import type { Command } from 'commander';
import { collect } from './arguments.js';

/** What commander makes of them. */
export interface RunOptions {
  readonly addHost?: string[];
  readonly annotation?: string[];
  readonly attach?: string[];
  readonly blkioWeight?: string;
  readonly capAdd?: string[];
  readonly capDrop?: string[];
  readonly cgroupParent?: string;
  readonly cgroupns?: string;
  readonly cidfile?: string;
  readonly cpuPeriod?: string;
  readonly cpuQuota?: string;
  readonly cpuShares?: string;
  readonly cpus?: string;
  readonly cpusetCpus?: string;
  readonly cpusetMems?: string;
  readonly device?: string[];
  readonly deviceCgroupRule?: string[];
  readonly dns?: string[];
  readonly dnsOpt?: string[];
  readonly dnsOption?: string[];
  readonly dnsSearch?: string[];
  readonly domainname?: string;
  readonly entrypoint?: string;
  readonly env?: string[];
  readonly envFile?: string[];
  readonly expose?: string[];
  readonly groupAdd?: string[];
  readonly healthCmd?: string;
  readonly healthInterval?: string;
  readonly healthRetries?: string;
  readonly healthStartInterval?: string;
  readonly healthStartPeriod?: string;
  readonly healthTimeout?: string;
  /** False with --no-healthcheck. */
  readonly healthcheck?: boolean;
  readonly hostname?: string;
  readonly init?: true;
  readonly interactive?: true;
  readonly ipc?: string;
  readonly label?: string[];
  readonly labelFile?: string[];
  readonly logDriver?: string;
  readonly logOpt?: string[];
  readonly memory?: string;
  readonly memoryReservation?: string;
  readonly memorySwap?: string;
  readonly memorySwappiness?: string;
  readonly mount?: string[];
  readonly name?: string;
  readonly net?: string;
  readonly network?: string;
  readonly oomKillDisable?: true;
  readonly oomScoreAdj?: string;
  readonly pid?: string;
  readonly pidsLimit?: string;
  readonly privileged?: true;
  readonly publish?: string[];
  readonly publishAll?: true;
  readonly readOnly?: true;
  readonly restart?: string;
  readonly rm?: true;
  readonly runtime?: string;
  readonly securityOpt?: string[];
  readonly shmSize?: string;
  readonly stopSignal?: string;
  readonly stopTimeout?: string;
  readonly sysctl?: string[];
  readonly tmpfs?: string[];
  readonly tty?: true;
  readonly ulimit?: string[];
  readonly user?: string;
  readonly userns?: string;
  readonly uts?: string;
  readonly volume?: string[];
  readonly volumesFrom?: string[];
  readonly volumeDriver?: string;
  readonly workdir?: string;
}

/** What `run` and `create` are given: an image, and a command with options of its own. */
export function takesImage(command: Command): Command {
  return command
    .usage('[OPTIONS] IMAGE [COMMAND] [ARG...]')
    .argument('<image>', 'its name or ID; pulled if it is not here; oci:DIR:TAG and the like are loaded')
    .argument('[command...]', "what to run instead of the image's command")
    .passThroughOptions();
}

/** Adds them; those of pulling are `addPullOptions`'. `-h` is the host name here, so that help is --help alone. */
export function addRunOptions(command: Command): Command {
  const one = (flags: string, help: string): Command => command.option(flags, help);
  const many = (flags: string, help: string): Command => command.option(flags, help, collect);
  command.helpOption('--help', 'show help');

  command.optionsGroup('The container:');
  one('--name <name>', 'what to call it (default: a made-up name)');
  one('-i, --interactive', 'keep its standard input open');
  one('-t, --tty', 'give it a terminal');
  many('-a, --attach <stream>', 'stdin, stdout or stderr: what to attach to (may be repeated)');
  one('--rm', 'remove it when it has ended, with its volumes without a name');
  one('--restart <policy>', 'no, on-failure[:TIMES], always or unless-stopped');
  many('-l, --label <key=value>', 'a label (may be repeated)');
  many('--label-file <file>', 'labels, one a line');
  one('--cidfile <file>', 'write its ID to a file');
  many('--annotation <key=value>', 'an annotation for the runtime');
  one('--log-driver <driver>', 'k8s-file, or none: keep no log (json-file means k8s-file)');
  many('--log-opt <key=value>', 'max-size=SIZE: when to begin the log anew');
  one('--runtime <program>', 'the OCI runtime (default: crun, else runc)');

  command.optionsGroup('What it runs:');
  one('--entrypoint <program>', `instead of the image's entry point: a name, '["NAME","ARG"]', or '' for none`);
  many('-e, --env <name[=value]>', 'an environment variable; without a value, the one there is (may be repeated)');
  many('--env-file <file>', 'variables, one a line');
  one('-u, --user <user>', 'NAME|UID[:GROUP|GID]');
  many('--group-add <group>', 'a further group (may be repeated)');
  one('-w, --workdir <dir>', 'the working directory, made if it is missing');
  one('--init', 'run an init that forwards signals and reaps processes');
  one('--stop-signal <signal>', 'what to stop it with (default: SIGTERM)');
  one('--stop-timeout <seconds>', 'how long it may take to stop (default: 10)');
  one('--health-cmd <command>', 'how to find out whether it is well');
  one('--health-interval <time>', 'between two checks (default: 30s)');
  one('--health-timeout <time>', 'how long one may take (default: 30s)');
  one('--health-retries <count>', 'failures until it is unhealthy (default: 3)');
  one('--health-start-period <time>', 'in which failures do not count');
  one('--health-start-interval <time>', 'between two checks in the start period (default: 5s)');
  one('--no-healthcheck', "without the image's health check");

  command.optionsGroup('Files:');
  many('-v, --volume <volume>', '[VOLUME|DIR:]PATH[:ro,z,...]: a volume or a directory of the host (may be repeated)');
  one('--volume-driver <driver>', "'local' is all there is");
  many('--mount <mount>', 'type=bind|volume|tmpfs,source=,target=[,readonly,...] (may be repeated)');
  many('--volumes-from <container>', "another container's volumes: CONTAINER[:ro] (may be repeated)");
  many('--tmpfs <path>', 'a file system in memory: PATH[:OPTIONS] (may be repeated)');
  one('--read-only', 'make its root read-only');
  many('--device <device>', 'a device of the host: HOST[:PATH[:rwm]] (may be repeated)');
  many('--device-cgroup-rule <rule>', "'c 10:229 rwm': devices it may use");
  one('--shm-size <size>', 'of /dev/shm (default: 64m)');

  command.optionsGroup('Network:');
  one('--network <network>', 'none, host, bridge, private or container:NAME').option('--net <network>', 'the same');
  many('-p, --publish <port>', '[[ADDRESS:]HOST_PORT:]PORT[/udp]: a port to reach it at (may be repeated)');
  one('-P, --publish-all', 'publish all exposed ports at ports of their own');
  many('--expose <port>', 'a port it serves: PORT[/udp], or a range');
  one('-h, --hostname <name>', 'its host name (default: the start of its ID)');
  one('--domainname <name>', 'its NIS domain name');
  many('--add-host <host:address>', "a line of its /etc/hosts; 'host-gateway' is the host (may be repeated)");
  many('--dns <address>', 'a name server (may be repeated)');
  many('--dns-search <domain>', 'a domain to search (may be repeated)');
  many('--dns-option <option>', 'an option of its resolv.conf').option('--dns-opt <option>', 'the same', collect);

  command.optionsGroup('Limits:');
  one('-m, --memory <size>', 'of memory: 512m');
  one('--memory-swap <size>', 'of memory and swap together, -1 for no limit (default: twice the memory)');
  one('--memory-reservation <size>', 'what it is pressed to when memory is short');
  one('--memory-swappiness <percent>', 'from 0 to 100');
  one('--oom-kill-disable', 'wait instead of being killed when memory runs out');
  one('--oom-score-adj <score>', 'from -1000 to 1000: whom to kill first');
  one('--cpus <number>', 'of processors: 1.5');
  one('-c, --cpu-shares <number>', 'its weight beside others');
  one('--cpu-period <microseconds>', 'in which --cpu-quota counts').option('--cpu-quota <microseconds>', 'in a period');
  one('--cpuset-cpus <list>', 'the processors it may use: 0-2,4').option('--cpuset-mems <list>', 'the memory nodes');
  one('--pids-limit <number>', 'of processes, -1 for no limit');
  one('--blkio-weight <weight>', 'from 10 to 1000: its share of the disk');
  many('--ulimit <name=soft[:hard]>', 'nofile=1024:2048 (may be repeated)');
  one('--cgroup-parent <path>', 'below which control group');

  command.optionsGroup('Rights:');
  many('--cap-add <capability>', 'NET_ADMIN, or ALL (may be repeated)');
  many('--cap-drop <capability>', 'one it does not get (may be repeated)');
  one('--privileged', 'all capabilities and devices, and nothing hidden');
  many('--security-opt <option>', 'seccomp=FILE|unconfined, no-new-privileges, systempaths=unconfined, ...');
  many('--sysctl <name=value>', 'a setting of the kernel (may be repeated)');
  one('--pid <namespace>', 'host, or container:NAME').option(
    '--ipc <namespace>',
    'host, none, private or container:NAME',
  );
  one('--uts <namespace>', 'host')
    .option('--userns <namespace>', 'host')
    .option('--cgroupns <namespace>', 'host or private');
  command.optionsGroup('Options:');
  return command;
}
