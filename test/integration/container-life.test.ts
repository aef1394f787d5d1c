// Mounting, un-mounting and removing: again and again, by several names, after crashes, and what is refused.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { MNT_DETACH, mount, umount2 } from '../../src/sys/index.js';
import { statisticsSocket } from '../../src/overlay/statistics-door.js';
import { alive } from '../helpers/death.js';
import { fixture, needs, serverOf, shell } from './container-fixture.js';

async function withContainer() {
  const box = await fixture();
  onTestFinished(() => box[Symbol.dispose]());
  const container = box.api.createContainer(box.store, { image: 'base', name: 'box' });
  return { ...box, container };
}

describe.skipIf(needs.skip)(needs.title('a container'), () => {
  test('is mounted once, however often it is asked for', async () => {
    const { api, store, container } = await withContainer();
    const first = await api.mountContainer(store, 'box');
    expect(first.mountpoint).toBe(path.join(container.directory, 'merged'));
    expect(first.container).toMatchObject({ state: 'mounted', mountpoint: first.mountpoint });
    const server = serverOf(first.mountpoint);
    expect((await api.mountContainer(store, container.id.slice(0, 12))).mountpoint).toBe(first.mountpoint);
    expect(serverOf(first.mountpoint)).toBe(server);
    const again = await Promise.all([1, 2, 3].map(() => api.mountContainer(store, 'box')));
    expect(again.map(({ mountpoint }) => mountpoint)).toEqual(Array(3).fill(first.mountpoint));
    expect(api.listContainers(store)).toMatchObject([{ name: 'box', state: 'mounted' }]);
    expect(await api.unmount(store, 'box')).toMatchObject({
      mountpoint: first.mountpoint,
      container: { state: 'created' },
    });
    expect(api.mountedAt(first.mountpoint)).toBe(false);
    await expect(api.unmount(store, 'box')).rejects.toThrow('container box is not mounted');
  });

  test('is mounted where the user says, and found by that directory', async () => {
    const { api, store, path: at } = await withContainer();
    mkdirSync(at('there'));
    symlinkSync('there', at('link'));
    const { mountpoint } = await api.mountContainer(store, 'box', { mountpoint: at('link') });
    expect(mountpoint).toBe(at('there'));
    expect(readFileSync(at('there', 'etc', 'hosts'), 'utf8')).toContain('localhost');
    expect((await api.mountContainer(store, 'box', { mountpoint: at('there') })).mountpoint).toBe(at('there'));
    mkdirSync(at('elsewhere'));
    await expect(api.mountContainer(store, 'box', { mountpoint: at('elsewhere') })).rejects.toMatchObject({
      code: 'in-use',
    });
    expect(await api.unmount(store, at('link'))).toMatchObject({ mountpoint, container: { name: 'box' } });
    expect(api.inspectContainer(store, 'box').mountpoint).toBeUndefined();
  });

  test('whose server was killed is mounted again with all it had', async () => {
    const { api, store } = await withContainer();
    const { mountpoint } = await api.mountContainer(store, 'box');
    writeFileSync(path.join(mountpoint, 'kept'), 'x');
    shell(mountpoint, 'sync -f .');
    process.kill(serverOf(mountpoint), 'SIGKILL');
    await expect.poll(() => api.inspectContainer(store, 'box').state).toBe('created');
    expect((await api.mountContainer(store, 'box')).mountpoint).toBe(mountpoint);
    expect(readFileSync(path.join(mountpoint, 'kept'), 'utf8')).toBe('x');
    process.kill(serverOf(mountpoint), 'SIGKILL');
    await expect.poll(() => api.inspectContainer(store, 'box').state).toBe('created');
    await api.unmount(store, 'box');
    await api.mountContainer(store, 'box');
    process.kill(serverOf(mountpoint), 'SIGKILL');
    await expect.poll(() => api.inspectContainer(store, 'box').state).toBe('created');
    const image = await api.commitContainer(store, 'box');
    expect(image.layers).toHaveLength(2);
    await api.mountContainer(store, 'box');
    process.kill(serverOf(mountpoint), 'SIGKILL');
    await expect.poll(() => api.inspectContainer(store, 'box').state).toBe('created');
    await api.removeContainer(store, 'box');
    expect(store.containers.list()).toEqual([]);
    expect(store.check()).toEqual([]);
  });

  test('whose server dies while it is asked whether it lives is mounted again', async () => {
    const { api, store } = await withContainer();
    const { mountpoint } = await api.mountContainer(store, 'box');
    const server = String(serverOf(mountpoint));
    process.kill(Number(server), 'SIGSTOP');
    const killed = once(spawn('sh', ['-c', `sleep 0.3; kill -9 ${server}`]), 'exit');
    expect((await api.mountContainer(store, 'box')).mountpoint).toBe(mountpoint);
    expect(serverOf(mountpoint)).not.toBe(Number(server));
    await killed;
  });

  test('is removed by force although its server was stopped', async () => {
    const { api, store, container } = await withContainer();
    const { mountpoint } = await api.mountContainer(store, 'box');
    process.kill(serverOf(mountpoint), 'SIGSTOP');
    expect(await api.removeContainer(store, 'box', { force: true })).toBe(container.id);
    expect(existsSync(container.directory)).toBe(false);
  });

  test('is not removed while it is mounted, unless by force', async () => {
    const { api, store, container } = await withContainer();
    await api.mountContainer(store, 'box');
    await expect(api.removeContainer(store, 'box')).rejects.toMatchObject({ code: 'in-use' });
    expect(existsSync(container.directory)).toBe(true);
    expect(await api.removeContainer(store, 'box', { force: true })).toBe(container.id);
    expect(existsSync(container.directory)).toBe(false);
    expect(readdirSync(path.join(store.root, 'staging'))).toEqual([]);
    await expect(api.removeContainer(store, 'box')).rejects.toMatchObject({ code: 'not-found' });
    expect(store.check()).toEqual([]);
  });

  test.each([
    ['somebody stands in it', ['sh', '-c', 'cd "$1" && echo there && exec sleep 100', 'sh']],
    [
      'another mount namespace has it',
      ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', 'echo there && exec sleep 100', 'sh'],
    ],
  ])('is removed by force with its server while %s', async (_, words) => {
    const { api, store, container } = await withContainer();
    const { mountpoint } = await api.mountContainer(store, 'box');
    const server = serverOf(mountpoint);
    const [program = '', ...args] = words;
    const user = spawn(program, [...args, mountpoint], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void user.kill('SIGKILL'));
    await once(user.stdout, 'data');
    await api.removeContainer(store, 'box', { force: true });
    expect(existsSync(container.directory)).toBe(false);
    expect(alive(server)).toBe(false);
    expect(existsSync(statisticsSocket(mountpoint, { env: process.env, uid: 0 }) ?? '')).toBe(false);
    expect(user.exitCode).toBeNull();
  });

  test('keeps its image, and what it committed, from being removed', async () => {
    const { api, store, container } = await withContainer();
    shell(path.join(container.directory, 'upper'), 'echo x > new');
    await api.commitContainer(store, 'box', { reference: 'new' });
    expect(() => store.images.remove('base')).toThrow('container box uses it');
    store.images.remove('new');
    const { mountpoint } = await api.mountContainer(store, 'box');
    expect(readFileSync(path.join(mountpoint, 'new'), 'utf8')).toBe('x\n');
    await api.removeContainer(store, 'box', { force: true });
    store.images.remove('base');
    expect(readdirSync(path.join(store.root, 'layers'))).toEqual([]);
    expect(store.check()).toEqual([]);
  });

  test.each([false, true])('keeps its changes when a commit is aborted (mounted: %s)', async (isMounted) => {
    const { api, store } = await withContainer();
    const { mountpoint } = await api.mountContainer(store, 'box');
    writeFileSync(path.join(mountpoint, 'kept'), 'x');
    if (!isMounted) await api.unmount(store, 'box');
    const reason = new Error('enough');
    for (const choice of [{}, { exclude: ['etc'] }]) {
      const signal = AbortSignal.abort(reason);
      await expect(api.commitContainer(store, 'box', { ...choice, signal, reference: 'none' })).rejects.toBe(reason);
    }
    expect(store.check()).toEqual([]);
    expect(store.images.list()).toHaveLength(1);
    const image = await api.commitContainer(store, 'box');
    expect(existsSync(path.join(store.layers.path(image.layers.at(-1)!), 'kept'))).toBe(true);
  });

  test('is told when its mount is busy', async () => {
    const { api, store } = await withContainer();
    const { mountpoint } = await api.mountContainer(store, 'box');
    const before = process.cwd();
    process.chdir(mountpoint);
    try {
      await expect(api.unmount(store, 'box')).rejects.toMatchObject({ code: 'in-use' });
      expect(api.inspectContainer(store, 'box').state).toBe('mounted');
    } finally {
      process.chdir(before);
    }
    await api.unmount(store, 'box');
  });

  test('that cannot be mounted is left as it was', async () => {
    const { api, store, path: at } = await withContainer();
    writeFileSync(at('file'), '');
    const wrong = [
      { mountpoint: at('missing'), code: 'not-found' },
      { mountpoint: at('missing', 'below'), code: 'not-found' },
      { mountpoint: at('file'), code: 'invalid' },
    ];
    for (const { mountpoint, code } of wrong) {
      await expect(api.mountContainer(store, 'box', { mountpoint })).rejects.toMatchObject({ code });
    }
    expect(store.containers.resolve('box').mountpoint).toBeUndefined();
    await expect(api.mountContainer(store, 'none')).rejects.toMatchObject({ code: 'not-found' });
    mkdirSync(at('taken'));
    expect(mount({ source: 'x', target: at('taken'), type: 'tmpfs', flags: 0, data: '' })).toBe(0);
    onTestFinished(() => void umount2(at('taken'), MNT_DETACH));
    await expect(api.mountContainer(store, 'box', { mountpoint: at('taken') })).rejects.toMatchObject({
      code: 'in-use',
    });
    await expect(api.unmount(store, at('taken'))).rejects.toMatchObject({ code: 'invalid' });
  });
});

describe.skipIf(needs.skip)(needs.title('an image'), () => {
  test('is mounted read-only, and not removed meanwhile', async () => {
    const { api, store, path: at } = await withContainer();
    await api.removeContainer(store, 'box');
    mkdirSync(at('m'));
    expect(await api.mountImage(store, 'base', at('m'))).toEqual({ mountpoint: at('m') });
    expect(() => writeFileSync(at('m', 'new'), '')).toThrow('EROFS');
    expect(() => store.images.remove('base')).toThrow(`mounted at ${at('m')}`);
    await expect(api.mountImage(store, 'base', at('m'))).rejects.toMatchObject({ code: 'in-use' });
    process.kill(serverOf(at('m')), 'SIGKILL');
    await expect.poll(() => existsSync(at('m', 'etc'))).toBe(false);
    await api.mountImage(store, 'base', at('m'));
    expect(existsSync(at('m', 'etc'))).toBe(true);
    expect(await api.unmount(store, at('m'))).toEqual({ mountpoint: at('m') });
    expect(store.images.remove('base').deleted).toHaveLength(2);
  });

  const wrong = ['missing', 'missing/below', 'file'];
  test.each(wrong)('should-fail: mounted at %s', async (name) => {
    const { api, store, path: at } = await withContainer();
    writeFileSync(at('file'), '');
    await expect(api.mountImage(store, 'base', at(name))).rejects.toMatchObject({
      code: name === 'file' ? 'invalid' : 'not-found',
    });
    await api.removeContainer(store, 'box');
    expect(store.images.remove('base').deleted).toHaveLength(2);
  });
});

describe.skipIf(needs.skip)(needs.title('umount'), () => {
  test('says what is not mounted', async () => {
    const { api, store, path: at } = await withContainer();
    await expect(api.unmount(store, at('tree'))).rejects.toThrow(`nothing is mounted at '${at('tree')}'`);
    await expect(api.unmount(store, at('missing'))).rejects.toMatchObject({ code: 'not-found' });
    await expect(api.unmount(store, 'none')).rejects.toThrow('no such container or mount point: none');
  });

  test('takes away any mount of ours', async () => {
    const { api, store, path: at } = await withContainer();
    mkdirSync(at('m'));
    await api.startOverlay({ lowerdir: [at('tree')], mountpoint: at('m') });
    await api.unmount(store, at('m'));
    expect(api.mountedAt(at('m'))).toBe(false);
  });
});
