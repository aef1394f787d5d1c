import { expect, test } from 'vitest';
import {
  formatSubnet,
  freeAddress,
  freeSubnet,
  gatewayOf,
  parseRoutes,
  parseSubnet,
} from '../../../src/network/subnet.js';

const ROUTES = [
  'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT',
  'eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0',
  'wg0\t0000590A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0',
  'wg0\t00045A0A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0',
  'veneer0\t00005B0A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0',
  '',
].join('\n');

test('routes are read as networks, the default route and our own left out', () => {
  expect(parseRoutes(ROUTES, 'veneer0').map(formatSubnet)).toEqual(['10.89.0.0/16', '10.90.4.0/24']);
});

test('a network that overlaps no route is free', () => {
  expect(formatSubnet(freeSubnet([]))).toBe('10.89.0.0/16');
  expect(formatSubnet(freeSubnet(parseRoutes(ROUTES, 'veneer0')))).toBe('10.91.0.0/16');
  expect(formatSubnet(freeSubnet([parseSubnet('10.64.0.0/10')]))).toBe('10.128.0.0/16');
  expect(formatSubnet(freeSubnet([], ['10.89.3.1']))).toBe('10.90.0.0/16');
  expect(() => freeSubnet([parseSubnet('10.0.0.0/8')])).toThrow('no network is free for the bridge');
});

test('addresses are given from the lowest', () => {
  const subnet = parseSubnet('10.89.0.0/30');
  expect(gatewayOf(subnet)).toBe('10.89.0.1');
  expect(freeAddress(subnet, new Set())).toBe('10.89.0.2');
  expect(() => freeAddress(subnet, new Set(['10.89.0.2']))).toThrow('all addresses of 10.89.0.0/30 are in use');
});
