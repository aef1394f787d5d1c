import { describe, expect, test } from 'vitest';
import { parseExpose, parsePublish, publishAll } from '../../../src/network/index.js';

const tcp = (containerPort: number, hostPort: number, hostIp = '') => ({
  protocol: 'tcp',
  containerPort,
  hostIp,
  hostPort,
});

describe('-p', () => {
  test.each([
    ['80', [tcp(80, 0)]],
    ['8080:80', [tcp(80, 8080)]],
    ['0:80', [tcp(80, 0)]],
    ['8080:80/tcp', [tcp(80, 8080)]],
    ['53:5353/UDP', [{ ...tcp(5353, 53), protocol: 'udp' }]],
    ['127.0.0.1:8080:80', [tcp(80, 8080, '127.0.0.1')]],
    ['127.0.0.1::80', [tcp(80, 0, '127.0.0.1')]],
    ['0.0.0.0:8080:80', [tcp(80, 8080)]],
    ['[::1]:8080:80', [tcp(80, 8080, '::1')]],
    ['8000-8001:80-81', [tcp(80, 8000), tcp(81, 8001)]],
    ['80-81', [tcp(80, 0), tcp(81, 0)]],
    ['8000-8010:80', [tcp(80, 8000)]],
  ])('%s', (text, bindings) => {
    expect(parsePublish(text)).toEqual(bindings);
  });

  test.each([
    ['', "'' is no port"],
    ['http', "'http' is no port"],
    ['8080:', "'' is no port"],
    ['80/sctp', 'a protocol is tcp or udp'],
    ['80/tcp/udp', 'a protocol is tcp or udp'],
    ['70000:80', 'a port is a number from 1 to 65535'],
    ['8080:0', 'a port is a number from 1 to 65535'],
    ['81-80', 'the range ends before it begins'],
    ['8000-8002:80-81', 'both ranges must have the same length'],
    ['localhost:8080:80', "'localhost' is no IP address"],
    ['1.2.3:8080:80', "'1.2.3' is no IP address"],
  ])('refuses %s', (text, why) => {
    expect(() => parsePublish(text)).toThrow(`invalid port '${text}': ${why}`);
  });
});

describe('--expose', () => {
  test.each([
    ['80', [{ protocol: 'tcp', port: 80 }]],
    ['53/udp', [{ protocol: 'udp', port: 53 }]],
    [
      '80-81',
      [
        { protocol: 'tcp', port: 80 },
        { protocol: 'tcp', port: 81 },
      ],
    ],
  ])('%s', (text, ports) => {
    expect(parseExpose(text)).toEqual(ports);
  });

  test('-P publishes what is exposed and not published', () => {
    const exposed = ['80', '443', '443/udp'].flatMap(parseExpose);
    expect(publishAll(exposed, parsePublish('8443:443'))).toEqual([tcp(80, 0), { ...tcp(443, 0), protocol: 'udp' }]);
  });
});
