import { describe, expect, test } from 'vitest';
import { requires } from '../helpers/requires.js';
import { sandboxWithBase } from '../helpers/run-cli.js';

const gate = requires('root', 'fuse', 'tar', 'build');

describe.skipIf(gate.skip)(gate.title('veneer rename'), () => {
  test('gives another name, mounted or not', () => {
    using box = sandboxWithBase('rename');
    const id = box.ok('create', '--name', 'one', 'base');
    const dir = box.ok('mount', 'one');
    expect(box.ok('rename', 'one', 'two')).toBe('');
    expect(box.ok('mount', 'two')).toBe(dir);
    expect(box.fails(1, 'mount', 'one')).toContain("mount 'one'");
    expect(box.ok('umount', 'two')).toBe('two');
    box.ok('container', 'rename', id.slice(0, 10), 'three');
    expect(box.ok('ps', '-a', '--format', '{{.Names}}')).toBe('three');
    box.ok('create', '--name', 'one', 'base');
    box.check();
  });

  test('refuses', () => {
    using box = sandboxWithBase('rename');
    box.ok('create', '--name', 'one', 'base');
    box.ok('create', '--name', 'two', 'base');
    expect(box.fails(1, 'rename', 'one', 'two')).toContain("the name 'two' is taken by container");
    expect(box.fails(1, 'rename', 'one', 'one')).toContain("it is the container's name already: one");
    expect(box.fails(1, 'rename', 'one', 'a/b')).toContain("'a/b' is not a container name");
    expect(box.fails(1, 'rename', 'none', 'x1')).toContain('no such container: none');
    box.fails(2, 'rename', 'one');
    box.check();
  });
});
