// What the options of `run` and `create` ask for.

import path from 'node:path';
import { portBindings } from '../container/index.js';
import type { ConfigOverrides, CreateOptions } from '../container/index.js';
import { VeneerError } from '../core/index.js';
import { parseExecForm } from '../image/index.js';
import type { Healthcheck } from '../image/index.js';
import { parseExpose, parseNetworkMode, parsePublish } from '../network/index.js';
import type { PortBinding } from '../network/index.js';
import type { HostConfig, RestartPolicy } from '../runtime/index.js';
import { parseCount } from './arguments.js';
import { parseDuration } from './duration.js';
import { readEnv, readLabels } from './env-files.js';
import { parseDevice, parseSettings } from './host-options.js';
import { limitsOf } from './limit-options.js';
import { parseMount, parseTmpfs } from './mount-options.js';
import type { RunOptions } from './run-options.js';

export type RunRequest = Omit<CreateOptions, 'image'>;

/** Leaves out what is undefined. */
function given<T extends object>(fields: { [K in keyof T]: T[K] | undefined }): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;
}

/**
 * Reads the options, and the words after the image. `detached`: nobody is attached to the container when it starts. Throws `usage`,
 * and `invalid` for ports.
 */
export function parseRunOptions(
  options: RunOptions,
  words: readonly string[],
  { detached = false }: { detached?: boolean } = {},
): RunRequest {
  const { name, stopTimeout } = options;
  const labels = readLabels(options);
  const env = readEnv(options);
  const attach = attachedStreams(options, detached);
  const host = hostOf(options);
  const overrides: Partial<ConfigOverrides> = given<ConfigOverrides>({
    command: words.length === 0 ? undefined : words,
    entrypoint: options.entrypoint === undefined ? undefined : parseEntrypoint(options.entrypoint),
    env: env.length === 0 ? undefined : env,
    labels: Object.keys(labels).length === 0 ? undefined : labels,
    user: options.user,
    workdir: options.workdir === undefined ? undefined : parseWorkdir(options.workdir),
    hostname: options.hostname === undefined ? undefined : parseHostname(options.hostname),
    domainname: options.domainname,
    tty: options.tty,
    openStdin: options.interactive,
    stdinOnce: options.interactive === true && attach.stdin ? true : undefined,
    attach,
    stopSignal: options.stopSignal,
    stopTimeout: stopTimeout === undefined ? undefined : parseSeconds('--stop-timeout', stopTimeout),
    healthcheck: healthcheckOf(options),
    expose: exposedOf(options),
    volumes: options.volume?.filter((volume) => !volume.includes(':')),
  });
  return { ...overrides, ...(name === undefined ? {} : { name }), host };
}

/** A program, or all words as an image has them: as podman takes it. */
function parseEntrypoint(text: string): readonly string[] {
  return text === '' ? [] : (parseExecForm(text) ?? [text]);
}

function hostOf(options: RunOptions): Partial<HostConfig> {
  const { restart, logDriver, logOpt = [], annotation, sysctl, tmpfs } = options;
  const network = options.network ?? options.net;
  if (network !== undefined) parseNetworkMode(network, { rootless: false });
  const { volumeDriver = 'local' } = options;
  if (volumeDriver !== 'local') {
    throw new VeneerError('usage', `--volume-driver '${volumeDriver}': there is no other than 'local'`);
  }
  const published = publishedOf(options);
  return given<HostConfig>({
    ...limitsOf(options),
    Binds: options.volume?.filter((volume) => volume.includes(':')).map(absoluteSource),
    Mounts: options.mount?.map(parseMount),
    VolumesFrom: options.volumesFrom,
    Tmpfs: tmpfs === undefined ? undefined : parseTmpfs(tmpfs),
    NetworkMode: network,
    PortBindings: published.length === 0 ? undefined : portBindings(published),
    PublishAllPorts: options.publishAll,
    AutoRemove: options.rm,
    RestartPolicy: restart === undefined ? undefined : parseRestart(restart),
    LogConfig: logDriver === undefined && logOpt.length === 0 ? undefined : parseLog(logDriver, logOpt),
    CapAdd: options.capAdd,
    CapDrop: options.capDrop,
    Privileged: options.privileged,
    SecurityOpt: options.securityOpt,
    ReadonlyRootfs: options.readOnly,
    Init: options.init,
    GroupAdd: options.groupAdd,
    Dns: options.dns,
    DnsOptions: options.dnsOption ?? options.dnsOpt,
    DnsSearch: options.dnsSearch,
    ExtraHosts: options.addHost?.map(parseExtraHost),
    IpcMode: parseMode('--ipc', options.ipc, ['host', 'none', 'private', 'shareable']),
    PidMode: parseMode('--pid', options.pid, ['host', 'private']),
    UTSMode: parseMode('--uts', options.uts, ['host', 'private']),
    UsernsMode: parseMode('--userns', options.userns, ['host']),
    CgroupnsMode: parseMode('--cgroupns', options.cgroupns, ['host', 'private']),
    CgroupParent: options.cgroupParent,
    Sysctls: sysctl === undefined ? undefined : parseSettings('--sysctl', sysctl),
    Annotations: annotation === undefined ? undefined : parseSettings('--annotation', annotation),
    Runtime: options.runtime,
    Devices: options.device?.map(parseDevice),
    DeviceCgroupRules: options.deviceCgroupRule,
  });
}

function publishedOf({ publish = [] }: RunOptions): PortBinding[] {
  return publish.flatMap(parsePublish);
}

/** What is published is exposed, too. */
function exposedOf(options: RunOptions): string[] {
  const published = publishedOf(options).map(({ protocol, containerPort }) => ({ protocol, port: containerPort }));
  return [...(options.expose ?? []).flatMap(parseExpose), ...published].map(
    ({ protocol, port }) => `${String(port)}/${protocol}`,
  );
}

/** `./DIRECTORY:PATH` is of the directory one is in. */
function absoluteSource(volume: string): string {
  return /^\.\.?(?:[/:]|$)/.test(volume) ? volume.replace(/^[^:]*/, (source) => path.resolve(source)) : volume;
}

const STREAMS = ['stdin', 'stdout', 'stderr'];

/** Without -a, all that a container in the foreground has. */
function attachedStreams(
  { attach = [], interactive }: RunOptions,
  detached: boolean,
): NonNullable<ConfigOverrides['attach']> {
  const streams = attach.map((word) => word.toLowerCase());
  const unknown = streams.find((stream) => !STREAMS.includes(stream));
  if (unknown !== undefined) {
    throw new VeneerError('usage', `--attach '${unknown}': it is stdin, stdout or stderr`);
  }
  if (streams.length === 0) return { stdin: interactive === true && !detached, stdout: !detached, stderr: !detached };
  const has = (stream: string): boolean => streams.includes(stream);
  return { stdin: has('stdin'), stdout: has('stdout'), stderr: has('stderr') };
}

function parseSeconds(option: string, text: string): number {
  return text === '-1' ? -1 : parseCount(option, text, 0);
}

function parseWorkdir(text: string): string {
  if (text.startsWith('/')) return text;
  throw new VeneerError('usage', `--workdir '${text}': it must be an absolute path`);
}

function parseHostname(text: string): string {
  // RFC 1123, as docker checks it.
  if (
    text.length <= 63 &&
    /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*$/.test(text)
  ) {
    return text;
  }
  throw new VeneerError('usage', `--hostname '${text}': it is not a host name`);
}

function parseMode(option: string, text: string | undefined, words: readonly string[]): string | undefined {
  if (text === undefined || words.includes(text))
    return text === 'private' && (option === '--pid' || option === '--uts') ? '' : text;
  const shares = option === '--ipc' || option === '--pid';
  if (shares && /^container:./.test(text)) return text;
  const all = [...words, ...(shares ? ['container:NAME'] : [])];
  throw new VeneerError('usage', `${option} '${text}': it is ${all.join(' or ')}`);
}

function parseRestart(text: string): RestartPolicy {
  const [, name = '', count] = /^([a-z-]+)(?::([0-9]{1,9}))?$/.exec(text) ?? [];
  if (count === undefined && (name === 'no' || name === 'always' || name === 'unless-stopped')) {
    return { Name: name, MaximumRetryCount: 0 };
  }
  if (name === 'on-failure') return { Name: name, MaximumRetryCount: Number(count ?? 0) };
  throw new VeneerError('usage', `--restart '${text}': it is no, on-failure[:TIMES], always or unless-stopped`);
}

/** Those of docker and podman that keep a file: here it is the same one for all. */
const LOG_DRIVERS: Readonly<Record<string, string>> = {
  'k8s-file': 'k8s-file',
  'json-file': 'k8s-file',
  local: 'k8s-file',
  none: 'none',
};

function parseLog(driver = 'k8s-file', words: readonly string[]): HostConfig['LogConfig'] {
  const Type = LOG_DRIVERS[driver];
  if (Type === undefined) {
    throw new VeneerError('usage', `--log-driver '${driver}': it is ${Object.keys(LOG_DRIVERS).join(', ')}`);
  }
  return { Type, Config: parseSettings('--log-opt', words) };
}

function parseExtraHost(text: string): string {
  // docker takes `=` as well, which suits addresses with colons.
  const [, host, address] = /^([^:=\s]+)[:=](\S+)$/.exec(text) ?? [];
  if (host !== undefined && address !== undefined) return `${host}:${address.replace(/^\[(.*)\]$/, '$1')}`;
  throw new VeneerError('usage', `--add-host '${text}': write HOST:ADDRESS`);
}

const NANOSECONDS = 1e6;

function healthcheckOf(options: RunOptions): Healthcheck | undefined {
  const { healthCmd, healthInterval, healthTimeout, healthStartPeriod, healthStartInterval, healthRetries } = options;
  const time = (option: string, text: string | undefined): number | undefined =>
    text === undefined ? undefined : Math.round(parseDuration(option, text) * NANOSECONDS);
  const check = given<Healthcheck>({
    Test: healthCmd === undefined ? undefined : healthCmd === 'none' ? ['NONE'] : ['CMD-SHELL', healthCmd],
    Interval: time('--health-interval', healthInterval),
    Timeout: time('--health-timeout', healthTimeout),
    StartPeriod: time('--health-start-period', healthStartPeriod),
    StartInterval: time('--health-start-interval', healthStartInterval),
    Retries: healthRetries === undefined ? undefined : parseCount('--health-retries', healthRetries, 0),
  });
  const asked = Object.keys(check).length > 0;
  if (options.healthcheck === false) {
    if (asked) throw new VeneerError('usage', '--no-healthcheck contradicts the other --health options');
    return { Test: ['NONE'] };
  }
  return asked ? check : undefined;
}
