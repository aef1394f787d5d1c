// pasta(1), of the package passt.

import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { identityOf } from '../sys/index.js';
import type { ProcessIdentity } from '../sys/index.js';
import { HelperError, NAMESPACE, startHelper } from './helper-process.js';
import { PRIVATE } from './private-addresses.js';
import { tryProgram } from './run-program.js';
import type { PortBinding } from './types.js';

function forwardsOf(ports: readonly PortBinding[], protocol: PortBinding['protocol']): string[] {
  const option = protocol === 'tcp' ? '-t' : '-u';
  const wanted = ports
    .filter((one) => one.protocol === protocol)
    .map(({ hostIp, hostPort, containerPort }) => {
      const address = hostIp === '' ? '' : `${hostIp}/`;
      return `${address}${String(hostPort)}:${String(containerPort)}`;
    });
  return (wanted.length === 0 ? ['none'] : wanted).flatMap((one) => [option, one]);
}

/**
 * Started by root it would become another user, who may not enter the namespace; one of an own user namespace is told to stay what it
 * is, too. The host's loopback is out of reach of the container, as are its own name servers, hence the forwarding of questions.
 */
export async function startPasta(r: {
  readonly pid: number;
  readonly ports: readonly PortBinding[];
  readonly runDirectory: string;
}): Promise<ProcessIdentity> {
  const pidFile = join(r.runDirectory, 'pasta.pid');
  const identity = process.getuid?.() === 0 ? ['--runas', '0'] : [];
  const args = [
    ...['--config-net', ...identity, '--netns-only', '--quiet', '-P', pidFile],
    ...['-I', PRIVATE.device, '-a', PRIVATE.address, '-n', String(PRIVATE.prefix), '-g', PRIVATE.gateway],
    ...['--dns-forward', PRIVATE.dns, '--no-map-gw', '-T', 'none', '-U', 'none'],
    ...forwardsOf(r.ports, 'tcp'),
    ...forwardsOf(r.ports, 'udp'),
    ...['--netns', NAMESPACE],
  ];
  await startHelper({ program: 'pasta', args, pid: r.pid, runDirectory: r.runDirectory, ready: 'exit' });
  const process_ = identityOf(Number(readFileSync(pidFile, 'latin1')));
  rmSync(pidFile);
  if (process_ === undefined) throw new HelperError('pasta', 'it ended at once');
  return process_;
}

/** Versions of 2023, and those that do not know theirs, as Debian 12's, keep back what a server says before it was asked. */
export async function hearsGreetings(): Promise<boolean> {
  const ran = await tryProgram('pasta', ['--version']);
  const year = /\b(?:0\.0~git)?(20\d\d)/.exec(ran?.output ?? '')?.[1];
  return year !== undefined && Number(year) >= 2024;
}
