// Containers that run: started, ended, and cleaned up after by whoever is left.

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { boxStore } from '../helpers/containers/index.js';
import type { BoxStore } from '../helpers/containers/index.js';
import { requires } from '../helpers/requires.js';

const needs = requires('root', 'fuse', 'containers', 'busybox', 'build');

describe.skipIf(needs.skip)(needs.title('a container that runs'), () => {
  let box: BoxStore;
  beforeAll(async () => {
    box = await boxStore('run');
  });
  afterEach(() => box.empty());
  afterAll(async () => {
    await box.expectNoLeaks();
    await box[Symbol.asyncDispose]();
  });

  test("has its command's exit code when it has ended, and leaves nothing", async () => {
    box.ok('create', '--name', 'web', 'box', 'sh', '-c', 'exit 7');
    box.ok('start', 'web');
    await expect.poll(() => box.ok('ps', '-a', '--format', '{{.State}}').trim()).toBe('exited');
    expect(await box.leaks()).toEqual([]);
  });
});
