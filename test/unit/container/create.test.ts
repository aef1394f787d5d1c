import { chmodSync, lstatSync, readFileSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { createContainer } from '../../../src/container/create.js';
import { inspectContainer, listContainers } from '../../../src/container/view.js';
import { parseTaggedName } from '../../../src/store/index.js';
import type { Store } from '../../../src/store/index.js';
import { must, setxattr } from '../../../src/sys/index.js';
import { addImage, addLayers, codeOf, diffIdOf, temporaryStore } from '../store/fixture.js';

test('a container has an ID, a name, its image, and directories', () => {
  const store = temporaryStore();
  const image = addImage(store, ['one', 'two'], 'debian');
  const container = createContainer(store, { image: 'debian', name: 'box' });
  expect(container).toMatchObject({
    name: 'box',
    image: image.id,
    imageReference: 'debian',
    state: 'created',
    mountpoint: undefined,
    layers: image.layers,
    committed: [],
  });
  expect(container.id).toMatch(/^[0-9a-f]{64}$/);
  expect(readdirSync(container.directory).sort()).toEqual(['config.json', 'merged', 'upper', 'work']);
  expect(inspectContainer(store, 'box')).toEqual(container);
  expect(store.check()).toEqual([]);
});

test('the upper directory looks like the root of the top layer', () => {
  const store = temporaryStore();
  const image = addImage(store, ['one', 'two'], 'debian');
  const [top = ''] = store.layers.paths(image.layers);
  must(setxattr(top, 'user.note', Buffer.from('n')), 'setxattr');
  chmodSync(top, 0o1711);
  utimesSync(top, 5, 6);
  const upper = lstatSync(join(createContainer(store, { image: 'debian' }).directory, 'upper'));
  expect(upper.mode & 0o7777).toBe(0o1711);
  expect(upper.mtimeMs).toBe(6000);
});

test('it runs as its image says, but for what the user says', () => {
  const store = temporaryStore();
  using lease = store.lease();
  addLayers(store, ['one'], lease);
  const config = {
    architecture: 'amd64',
    os: 'linux',
    config: { Entrypoint: ['/init'], Cmd: ['sh'], Env: ['PATH=/bin', 'A=1'], Labels: { a: 'b' } },
    rootfs: { type: 'layers' as const, diff_ids: [diffIdOf('one')] },
  };
  store.images.create(config, [parseTaggedName('debian')]);
  expect(createContainer(store, { image: 'debian' })).toMatchObject({ command: ['/init', 'sh'], labels: { a: 'b' } });
  const options = { image: 'debian', command: ['ls', '-l'], env: ['A=2', 'B='], labels: { c: 'd' } };
  const own = createContainer(store, options);
  expect(own).toMatchObject({ command: ['/init', 'ls', '-l'], labels: { a: 'b', c: 'd' } });
  const written = JSON.parse(readFileSync(join(own.directory, 'config.json'), 'utf8')) as { config: { Env: string[] } };
  expect(written.config.Env).toEqual(['PATH=/bin', 'A=2', 'B=']);
});

const refused = [
  { name: 'an unknown image', options: { image: 'none' }, code: 'not-found' },
  { name: 'a taken name', options: { image: 'debian', name: 'box' }, code: 'already-exists' },
  { name: 'a malformed name', options: { image: 'debian', name: 'a/b' }, code: 'invalid' },
  { name: 'a malformed variable', options: { image: 'debian', env: ['=x'] }, code: 'invalid' },
];
test.each(refused)('should-fail: $name leaves nothing behind', ({ options, code }) => {
  const store = temporaryStore();
  addImage(store, ['one'], 'debian');
  createContainer(store, { image: 'debian', name: 'box' });
  expect(codeOf(() => createContainer(store, options))).toBe(code);
  expect(readdirSync(join(store.root, 'containers'))).toHaveLength(1);
  expect(readdirSync(join(store.root, 'staging'))).toEqual([]);
});

test('a container with a damaged configuration is listed without a command', () => {
  const store = temporaryStore();
  addImage(store, ['one'], 'debian');
  const { directory } = createContainer(store, { image: 'debian', name: 'box' });
  writeFileSync(join(directory, 'config.json'), '{"config":');
  expect(listContainers(store)).toMatchObject([{ name: 'box', command: [] }]);
});

/** Has something happen in the middle of the making of the next container. */
function meanwhile(store: Store, happens: () => void): void {
  const stage = store.containers.stage.bind(store.containers);
  vi.spyOn(store.containers, 'stage').mockImplementationOnce(() => {
    happens();
    return stage();
  });
}

test('an image that is removed meanwhile is not there', () => {
  const store = temporaryStore();
  addImage(store, ['one'], 'debian');
  meanwhile(store, () => store.images.remove('debian'));
  expect(() => createContainer(store, { image: 'debian' })).toThrow('no such image: debian');
  expect(store.containers.list()).toEqual([]);
  expect(store.check()).toEqual([]);
});

test('an image that is replaced meanwhile by another of its name is that one', () => {
  const store = temporaryStore();
  addImage(store, ['one'], 'debian');
  let other = '';
  meanwhile(store, () => {
    store.images.remove('debian');
    other = addImage(store, ['two'], 'debian').id;
  });
  expect(createContainer(store, { image: 'debian' }).image).toBe(other);
  expect(store.check()).toEqual([]);
});
