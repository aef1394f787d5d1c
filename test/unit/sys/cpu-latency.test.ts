import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CpuLatency } from '../../../src/sys/index.js';

const DEVICE = '/dev/cpu_dma_latency';
const DRIVER = '/sys/devices/system/cpu/cpuidle/current_driver';

/** What all processes together ask for, in microseconds; undefined where the device cannot be opened. */
function latencyInForce(): number | undefined {
  let fd: number;
  try {
    fd = openSync(DEVICE, 'r+');
  } catch {
    return undefined;
  }
  const value = Buffer.alloc(4);
  readSync(fd, value);
  closeSync(fd);
  return value.readInt32LE(0);
}

function idleDriver(): string {
  try {
    return readFileSync(DRIVER, 'latin1').trim();
  } catch {
    return 'none';
  }
}

test('a low latency holds until it is restored or closed, and is asked for only where processors listen', () => {
  const before = latencyInForce();
  const latency = CpuLatency.open();
  if (before === undefined || idleDriver() === 'none') {
    expect(latency).toBeUndefined();
    return;
  }
  expect(latencyInForce()).toBe(before);
  latency!.lower();
  expect(latencyInForce()).toBe(idleDriver() === 'haltpoll' ? 0 : Math.min(before, 2));
  latency!.restore();
  expect(latencyInForce()).toBe(before);
  latency!.lower();
  latency!.close();
  expect(latencyInForce()).toBe(before);
});
