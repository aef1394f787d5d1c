// Networks of containers at a host of their own: what reaches what, and what is left.

import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parsePublish } from '../../src/network/index.js';
import type { NetworkMode, NetworkState } from '../../src/network/index.js';
import { HOST_ADDRESS, NetworkHost } from '../helpers/network-host.js';
import type { NetworkGuest } from '../helpers/network-host.js';
import { requires } from '../helpers/requires.js';

const gate = requires('root', 'build', 'containers');

let runDirectory = '';
beforeAll(() => (runDirectory = mkdtempSync(path.join(os.tmpdir(), 'veneer-networks-'))));
afterAll(() => rmSync(runDirectory, { recursive: true, force: true }));

let count = 0;
const newId = (): string => (count += 1).toString(16).padStart(64, 'a');

interface Connected {
  readonly id: string;
  readonly guest: NetworkGuest;
  readonly state: NetworkState;
}

async function connect(host: NetworkHost, mode: NetworkMode, name: string, ...ports: string[]): Promise<Connected> {
  const guest = await host.guest();
  const id = newId();
  const request = { id, name, mode, ports: ports.flatMap(parsePublish), runDirectory, pid: guest.pid };
  return { id, guest, state: await host.setUp(request) };
}

const ask = (address: string, port: number): string => `exec 3<>/dev/tcp/${address}/${String(port)} && head -1 <&3`;
const inBash = (command: string): string => `bash -c '${command}' 2>/dev/null`;

describe.skipIf(gate.skip)(gate.title('a bridge'), () => {
  test.each([['iptables'], ['nft']])('publishes ports by %s and leaves nothing behind', async (firewall) => {
    await using host = await NetworkHost.start({ iptables: firewall === 'iptables' });
    const web = await connect(host, 'bridge', 'web', '18080:80', '127.0.0.1:18081:80');
    expect(web.state).toEqual({
      mode: 'bridge',
      interfaces: [{ name: 'eth0', address4: '10.89.0.2/16', gateway4: '10.89.0.1', mac: '02:42:0a:59:00:02' }],
      ports: parsePublish('18080:80').concat(parsePublish('127.0.0.1:18081:80')),
      dns: [],
    });
    await web.guest.serve('web', 80);
    const other = await connect(host, 'bridge', 'other');
    expect(other.state.interfaces[0]?.address4).toBe('10.89.0.3/16');

    expect(await host.run(inBash(ask('127.0.0.1', 18080)))).toBe('web to 10.89.0.1');
    expect(await host.run(inBash(ask(HOST_ADDRESS, 18080)))).toMatch(/^web to /);
    expect(await host.run(inBash(ask('127.0.0.1', 18081)))).toBe('web to 10.89.0.1');
    expect(await host.run(inBash(ask(HOST_ADDRESS, 18081)))).toBe('code 1');
    expect(await other.guest.run(inBash(ask('10.89.0.2', 80)))).toBe('web to 10.89.0.3');
    expect(await other.guest.run(inBash(ask(HOST_ADDRESS, 18080)))).toBe('web to 10.89.0.1');
    expect(await web.guest.run(inBash(ask(HOST_ADDRESS, 18080)))).toBe('web to 10.89.0.1');

    await web.guest.end();
    await host.tearDown(web.id, web.state, runDirectory);
    expect(await host.run(inBash(ask('127.0.0.1', 18080)))).toBe('code 1');
    expect(await other.guest.run(inBash(ask(HOST_ADDRESS, 18080)))).toBe('code 1');
    await other.guest.end();
    await host.tearDown(other.id, other.state, runDirectory);
    await host.tearDown(other.id, other.state, runDirectory);
    expect(await host.left()).toEqual([]);
  });

  test('keeps the loopback of the host out of reach', async () => {
    await using host = await NetworkHost.start();
    const { guest } = await connect(host, 'bridge', 'curious');
    const secret = host.guestAtHost();
    await secret.serve('secret', 18090);
    expect(await host.run(inBash(ask('127.0.0.1', 18090)))).toBe('secret to 127.0.0.1');
    await guest.run('ip address del 127.0.0.1/8 dev lo; ip route add 127.0.0.1/32 via 10.89.0.1 src 10.89.0.2');
    await guest.run('echo 1 > /proc/sys/net/ipv4/conf/eth0/route_localnet');
    expect(await guest.run(`timeout 1 ${inBash(ask('127.0.0.1', 18090))}`)).toMatch(/^code /);
  });
});
