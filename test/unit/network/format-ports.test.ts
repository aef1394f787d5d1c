import { describe, expect, test } from 'vitest';
import { formatPorts, parseExpose, parsePublish, portLines } from '../../../src/network/index.js';

const ports = (...texts: string[]) => texts.flatMap(parsePublish);

describe('the PORTS column', () => {
  test.each([
    [ports(), [], ''],
    [ports('8080:80'), [], '0.0.0.0:8080->80/tcp'],
    [ports('127.0.0.1:8080:80', '53:53/udp'), [], '127.0.0.1:8080->80/tcp, 0.0.0.0:53->53/udp'],
    [ports('8000-8002:80-82'), [], '0.0.0.0:8000-8002->80-82/tcp'],
    [ports('8000:80', '9001:81'), [], '0.0.0.0:8000->80/tcp, 0.0.0.0:9001->81/tcp'],
    [ports('[::1]:8080:80'), [], '[::1]:8080->80/tcp'],
    [ports('8080:80'), ['443', '80'], '443/tcp, 0.0.0.0:8080->80/tcp'],
    [ports(), ['80-82', '82/udp'], '80-82/tcp, 82/udp'],
    [ports('8080:80', '8081:80'), [], '0.0.0.0:8080->80/tcp, 0.0.0.0:8081->80/tcp'],
  ])('%#', (published, exposed, text) => {
    expect(formatPorts(published, exposed.flatMap(parseExpose))).toBe(text);
  });
});

test('the lines of port come in order of the ports of the container', () => {
  expect(portLines(ports('9000:443', '53:80/udp', '127.0.0.1:8080:80', '8080:80'))).toEqual([
    '80/tcp -> 0.0.0.0:8080',
    '80/tcp -> 127.0.0.1:8080',
    '80/udp -> 0.0.0.0:53',
    '443/tcp -> 0.0.0.0:9000',
  ]);
});
