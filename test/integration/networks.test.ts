// Networks of containers at a host of their own: what reaches what, and what is left.

import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
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
  const id = newId();
  const request = { id, name, mode, ports: ports.flatMap(parsePublish), runDirectory };
  return { id, ...(await host.connect(request)) };
}

const ask = (address: string, port: number): string =>
  `exec 3<>/dev/tcp/${address}/${String(port)} && echo >&3 && head -1 <&3`;
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

  test('forgets containers that died with nobody there to clean up', async () => {
    await using host = await NetworkHost.start();
    const dead = [await connect(host, 'bridge', 'one', '18080:80'), await connect(host, 'bridge', 'two')];
    for (const { guest } of dead) await guest.end();
    const { id, guest, state } = await connect(host, 'bridge', 'three', '18080:80');
    expect(state.interfaces[0]?.address4).toBe('10.89.0.2/16');
    await guest.serve('three', 80);
    expect(await host.run(inBash(ask('127.0.0.1', 18080)))).toBe('three to 10.89.0.1');
    await guest.end();
    await host.tearDown(id, state, runDirectory);
    expect(await host.left()).toEqual([]);
    await host.tearDown(dead[0]!.id, dead[0]!.state, runDirectory);
    expect(await host.left()).toEqual([]);
  });

  test('is made anew after somebody has taken it away', async () => {
    await using host = await NetworkHost.start();
    const before = await connect(host, 'bridge', 'before');
    await host.run('ip link delete veneer0; iptables -t nat -F; iptables -F');
    const { id, guest, state } = await connect(host, 'bridge', 'after', '18080:80');
    await guest.serve('after', 80);
    expect(await host.run(inBash(ask('127.0.0.1', 18080)))).toBe('after to 10.89.0.1');
    for (const one of [before, { id, guest, state }]) {
      await one.guest.end();
      await host.tearDown(one.id, one.state, runDirectory);
    }
    expect(await host.left()).toEqual([]);
  });

  test('is made anew while the last one is being taken away, and after that was killed', async () => {
    await using host = await NetworkHost.start();
    for (const half of [
      'true',
      'ip link add veneer0 type bridge; iptables -N VENEER-INPUT; iptables -t nat -N VENEER-DNAT',
    ]) {
      await host.run(half);
      for (const name of ['first', 'second']) {
        const { id, guest, state } = await connect(host, 'bridge', name, '18080:80');
        expect(state.interfaces[0]?.address4).toBe('10.89.0.2/16');
        await guest.serve(name, 80);
        expect(await host.run(inBash(ask('127.0.0.1', 18080)))).toBe(`${name} to 10.89.0.1`);
        await guest.end();
        await host.tearDown(id, state, runDirectory);
      }
      expect(await host.left()).toEqual([]);
    }
  });

  test('says who has a port, and gives nothing away then', async () => {
    await using host = await NetworkHost.start();
    const squatter = host.guestAtHost();
    await squatter.serve('squatter', 18080);
    await expect(connect(host, 'bridge', 'web', '18080:80')).rejects.toThrow(
      /^cannot publish port 18080\/tcp: 0\.0\.0\.0:18080 is in use by node \(process \d+\)$/,
    );
    await expect(connect(host, 'bridge', 'web', '192.0.2.99:18080:80')).rejects.toThrow(
      'the host has no address 192.0.2.99',
    );
    await expect(connect(host, 'bridge', 'web', '[::1]:18080:80')).rejects.toThrow('no ports at IPv6 addresses');
    await expect(connect(host, 'bridge', 'web', '18081:80', '18081:81')).rejects.toThrow('is published twice');
    expect(await host.left()).toEqual([]);
  });

  test('many containers come and go at once', async () => {
    await using host = await NetworkHost.start();
    const connected = await Promise.all(
      Array.from({ length: 8 }, (_, index) => connect(host, 'bridge', `n${String(index)}`, '80')),
    );
    const addresses = connected.map(({ state }) => state.interfaces[0]?.address4);
    expect(new Set(addresses).size).toBe(8);
    expect(new Set(connected.map(({ state }) => state.ports[0]?.hostPort)).size).toBe(8);
    await Promise.all(connected.map(({ guest }) => guest.end()));
    await Promise.all(connected.map(({ id, state }) => host.tearDown(id, state, runDirectory)));
    expect(await host.left()).toEqual([]);
  });
});

describe.skipIf(gate.skip)(gate.title('a private network'), () => {
  test.each(['pasta', 'slirp4netns'] as const)(
    'of %s publishes ports, leaves mounts alone, and its process ends with it',
    async (program) => {
      await using host = await NetworkHost.start();
      const mounts = host.mounts();
      const { id, guest, state } = await connect(host, program, 'web', '18080:80', '127.0.0.1:18081:80');
      expect(host.mounts()).toEqual(mounts);
      expect(state.interfaces).toEqual([{ name: 'eth0', address4: '10.0.2.100/24', gateway4: '10.0.2.2' }]);
      await guest.serve('web', 80);
      for (const [address, port] of [
        ['127.0.0.1', 18080],
        [HOST_ADDRESS, 18080],
        ['127.0.0.1', 18081],
      ] as const) {
        expect(await host.run(inBash(ask(address, port)))).toMatch(/^web to /);
      }
      expect(await host.run(inBash(ask(HOST_ADDRESS, 18081)))).toBe('code 1');
      const outside = host.guestAtHost();
      await outside.serve('host', 18090);
      expect(await guest.run(inBash(ask(HOST_ADDRESS, 18090)))).toMatch(/^host to /);
      await guest.end();
      await host.tearDown(id, state, runDirectory);
      // The process that has started it is there to see its end.
      await expect.poll(() => existsSync(`/proc/${String(state.helper!.pid)}/ns/net`)).toBe(false);
      await host.tearDown(id, state, runDirectory);
      expect(readdirSync(runDirectory)).toEqual([]);
      expect(await host.left()).toEqual([]);
    },
  );

  test('works on a host without a way out', async () => {
    await using host = await NetworkHost.start({ route: false });
    const { id, guest, state } = await connect(host, 'private', 'web', '18080:80');
    await guest.serve('web', 80);
    expect(await host.run(inBash(ask('127.0.0.1', 18080)))).toMatch(/^web to /);
    expect(state.helper).toMatchObject({ program: 'slirp4netns' });
    await host.tearDown(id, state, runDirectory);
  });

  test('passes on what a server says before it was asked', async () => {
    await using host = await NetworkHost.start();
    const { id, guest, state } = await connect(host, 'private', 'ssh', '18022:22');
    await guest.serve('welcome', 22, { greets: true });
    expect(await host.run(inBash(ask(HOST_ADDRESS, 18022)))).toMatch(/^welcome to /);
    await host.tearDown(id, state, runDirectory);
  });
});
