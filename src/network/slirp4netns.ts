// slirp4netns(1), and its socket, which takes one request a connection.

import { createConnection } from 'node:net';
import { join } from 'node:path';
import { VeneerError } from '../core/index.js';
import type { ProcessIdentity } from '../sys/index.js';
import { HelperError, NAMESPACE, READY_FD, endHelper, startHelper } from './helper-process.js';
import { hostEnd } from './format-ports.js';
import { PRIVATE } from './private-addresses.js';
import type { PortBinding } from './types.js';

/**
 * Its sandbox is a root of its own, without the old one: un-mounting that, it has made it private, but not what is mounted below
 * (slirp4netns 1.2, sandbox.c). Where mounts are shared, as systemd makes them, everybody's /sys/fs/cgroup would go.
 */
const OWN_MOUNTS = ['unshare', '--mount', '--propagation', 'private', '--'];

export async function startSlirp4netns(r: {
  readonly pid: number;
  readonly ports: readonly PortBinding[];
  readonly runDirectory: string;
}): Promise<ProcessIdentity> {
  const socket = join(r.runDirectory, 'slirp4netns.sock');
  const args = [
    ...['--configure', '--mtu=65520', '--disable-host-loopback', `--cidr=${PRIVATE.network}`],
    ...['--enable-sandbox', '--enable-seccomp', `--ready-fd=${String(READY_FD)}`],
    ...(r.ports.length === 0 ? [] : [`--api-socket=${socket}`]),
    ...['--netns-type=path', NAMESPACE, PRIVATE.device],
  ];
  const { pid, runDirectory } = r;
  const helper = await startHelper({
    program: 'slirp4netns',
    args,
    through: OWN_MOUNTS,
    pid,
    runDirectory,
    ready: 'byte',
  });
  if (helper === undefined) throw new HelperError('slirp4netns', 'it ended at once');
  try {
    for (const port of r.ports) await publish(socket, port);
  } catch (error) {
    await endHelper(helper);
    throw error;
  }
  return helper;
}

async function publish(socket: string, port: PortBinding): Promise<void> {
  const answer = await ask(socket, {
    execute: 'add_hostfwd',
    arguments: {
      proto: port.protocol,
      host_addr: port.hostIp === '' ? '0.0.0.0' : port.hostIp,
      host_port: port.hostPort,
      guest_addr: PRIVATE.address,
      guest_port: port.containerPort,
    },
  });
  const { error } = JSON.parse(answer) as { error?: { desc?: string } };
  if (error === undefined) return;
  const why = error.desc ?? 'no reason given';
  throw new VeneerError('unavailable', `slirp4netns cannot publish a port at ${hostEnd(port)}: ${why}`);
}

function ask(path: string, question: object): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = createConnection(path, () => socket.end(JSON.stringify(question)));
    socket.on('data', (chunk) => (answer += String(chunk)));
    socket.on('error', reject);
    socket.on('end', () => resolve(answer));
  });
}
