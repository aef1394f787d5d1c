// The networks of containers that run.

import { request } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { boxStore } from '../helpers/containers/index.js';
import type { BoxStore } from '../helpers/containers/index.js';
import { requires } from '../helpers/requires.js';

const needs = requires('root', 'fuse', 'containers', 'busybox', 'build');

/** A page of the host, '' where nobody serves one. */
function page(port: number, address = '127.0.0.1'): Promise<string> {
  return new Promise((resolve) => {
    const asking = request({ host: address, port, path: '/', timeout: 2000 }, (answer) => {
      let text = '';
      answer.on('data', (chunk) => (text += String(chunk)));
      answer.on('end', () => resolve(text.trim()));
    });
    asking.on('timeout', () => asking.destroy());
    asking.on('error', () => resolve(''));
    asking.end();
  });
}

describe.skipIf(needs.skip)(needs.title('a container with a network'), () => {
  let box: BoxStore;
  beforeAll(async () => {
    box = await boxStore('network');
  });
  afterEach(() => box.empty());
  afterAll(async () => {
    await box.expectNoLeaks();
    await box[Symbol.asyncDispose]();
  });

  const web = (name: string, ...options: string[]): void => {
    const serve = `mkdir -p /www; echo ${name} > /www/index.html; exec httpd -f -p 80 -h /www`;
    box.ok('create', '--name', name, ...options, 'box', 'sh', '-c', serve);
    box.ok('start', name);
  };

  test.each(['bridge', 'pasta', 'slirp4netns'])('is reached at its published port: %s', async (network) => {
    web('web', '--network', network, '-p', '127.0.0.1::80');
    const at = Number(box.ok('port', 'web', '80').trim().split(':')[1]);
    await expect.poll(() => page(at)).toBe('web');
    box.ok('stop', '-t', '0', 'web');
    expect(await page(at)).toBe('');
    expect(await box.leaks()).toEqual([]);
  });

  test('is branched off to be reached beside its origin', async () => {
    web('web', '-p', '127.0.0.1::80');
    box.ok('exec', 'web', 'sh', '-c', 'echo kept >/kept');
    const portOf = (name: string): number => Number(box.ok('port', name, '80').trim().split(':')[1]);
    const at = portOf('web');
    box.ok('branch', '--start', '-p', '127.0.0.1::80', '-p', '5353/udp', 'web', 'trial');
    expect(portOf('trial')).not.toBe(at);
    for (const port of [at, portOf('trial')]) await expect.poll(() => page(port)).toBe('web');
    expect(box.ok('exec', 'trial', 'cat', '/kept')).toBe('kept');
    expect(box.ok('inspect', '-f', '{{json .Config.ExposedPorts}}', 'trial')).toBe('{"80/tcp":{},"5353/udp":{}}');
    expect(box.ok('inspect', '-f', '{{json .Config.ExposedPorts}}', 'web')).toBe('{"80/tcp":{}}');
    // A port that was chosen is asked for as it was: another one is chosen.
    box.ok('branch', '--start', 'web', 'third');
    expect([at, portOf('trial')]).not.toContain(portOf('third'));
    box.ok('branch', '-p', `127.0.0.1:${String(at)}:80`, 'web', 'clash');
    expect(box.ok('ps', '-a', '--filter', 'name=clash', '--format', '{{.Status}}')).toBe('Created');
    expect(box.fails(1, 'start', 'clash')).toContain('is in use by container web');
  });

  test('is told who has a port, and nothing is left of what was not started', () => {
    web('web', '-p', '127.0.0.1::80');
    const at = box.ok('port', 'web', '80').trim();
    box.ok('create', '--name', 'other', '-p', `${at}:80`, 'box');
    const { code, stderr } = box.run('start', 'other');
    const port = at.split(':')[1] ?? '';
    expect(stderr.split('\n')[0]).toBe(
      `veneer: cannot publish port ${port}/tcp: 127.0.0.1:${port} is in use by container web`,
    );
    expect(code).toBe(1);
    expect(box.run('port', 'web', '81').stderr).toContain('container web has no published port 81');
    expect(box.ok('port', 'other')).toBe('');
  });

  test('shares that of another one, or has none', async () => {
    web('web');
    box.ok('create', '--name', 'friend', '--network', 'container:web', 'box', 'wget', '-q', '-O', '-', '127.0.0.1');
    box.ok('start', 'friend');
    expect(box.ok('wait', 'friend')).toBe('0');
    box.ok('create', '--name', 'alone', '--network', 'none', 'box', 'sh', '-c', 'test "$(ls /sys/class/net)" = lo');
    box.ok('start', 'alone');
    expect(box.ok('wait', 'alone')).toBe('0');
    box.ok('stop', '-t', '0', 'web');
    expect(box.run('start', 'friend').stderr).toContain('container web, whose network is to be shared, does not run');
    expect(await box.leaks()).toEqual([]);
  });
});
