import { describe, expect, test } from 'vitest';
import { namesFor, registryOfKey } from '../../../../src/registry/access/auth-keys.js';

describe('the registry of a key', () => {
  test.each([
    ['a host', 'reg.example:5000', 'reg.example:5000'],
    ["docker's own for Docker Hub", 'https://index.docker.io/v1/', 'docker.io'],
    ['an address', 'https://reg.example', 'reg.example'],
    ['an address of plain HTTP', 'http://reg.example:5000/', 'reg.example:5000'],
    ['an address with a path', 'https://reg.example/v2/', 'reg.example'],
    ['an address without scheme', 'index.docker.io/v1/', 'docker.io'],
    ['another name of Docker Hub', 'registry-1.docker.io', 'docker.io'],
    ['a namespace', 'quay.io/team/app', 'quay.io/team/app'],
    ['a namespace of Docker Hub', 'docker.io/team', 'docker.io/team'],
  ])('%s', (_what, key, registry) => {
    expect(registryOfKey(key, false)).toBe(registry);
  });

  test('in .dockercfg has no namespaces', () => {
    expect(registryOfKey('reg.example/v1/x', true)).toBe('reg.example');
  });
});

test('names, the longest first', () => {
  expect(namesFor('quay.io', 'a/b/c')).toEqual(['quay.io/a/b/c', 'quay.io/a/b', 'quay.io/a', 'quay.io']);
  expect(namesFor('registry-1.docker.io', 'library/x')).toEqual([
    'docker.io/library/x',
    'docker.io/library',
    'docker.io',
  ]);
  expect(namesFor('quay.io')).toEqual(['quay.io']);
});
