import { expect, test } from 'vitest';
import { networkSettings, parseExpose, parsePublish } from '../../../src/network/index.js';

test('the network of a running container in the words of Docker', () => {
  const address = {
    IPAddress: '10.89.0.2',
    IPPrefixLen: 16,
    Gateway: '10.89.0.1',
    GlobalIPv6Address: '',
    GlobalIPv6PrefixLen: 0,
    IPv6Gateway: '',
    MacAddress: '02:42:0a:59:00:02',
  };
  const eth0 = {
    name: 'eth0',
    address4: '10.89.0.2/16',
    gateway4: '10.89.0.1',
    mac: '02:42:0a:59:00:02',
  };
  const ports = ['8080:80', '127.0.0.1:8081:80'].flatMap(parsePublish);
  const state = { mode: 'bridge', interfaces: [eth0], ports, dns: [] } as const;
  const exposed = ['80', '53/udp'].flatMap(parseExpose);
  expect(networkSettings(state, { network: 'bridge', exposed })).toEqual({
    Ports: {
      '80/tcp': [
        { HostIp: '0.0.0.0', HostPort: '8080' },
        { HostIp: '127.0.0.1', HostPort: '8081' },
      ],
      '53/udp': null,
    },
    ...address,
    Networks: { bridge: address },
  });
});

test('one that does not run is in its network, without an address', () => {
  expect(networkSettings(undefined, { network: 'bridge', exposed: parseExpose('80') })).toMatchObject({
    Ports: {},
    IPAddress: '',
    GlobalIPv6Address: '',
    Networks: { bridge: { IPAddress: '', Gateway: '' } },
  });
});

test('one that is in the network of another has none of its own', () => {
  expect(networkSettings(undefined, { network: 'container:web', exposed: [] })).toMatchObject({ Networks: {} });
});
