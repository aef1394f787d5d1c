import { expect, test } from 'vitest';
import { containerCgroup } from '../../../src/runtime/container-cgroups.js';

const SCOPE = '/user.slice/user-1.slice/user@1.service/user.slice/veneer-id.scope';

test.each([
  ['/veneer/id', '/veneer/id'],
  ['/veneer/id/made/inside', '/veneer/id'],
  [SCOPE, SCOPE],
  [`${SCOPE}/container`, `${SCOPE}/container`],
  [`${SCOPE}/container/init.scope`, `${SCOPE}/container`],
  [`${SCOPE}/containers`, SCOPE],
  ['/user.slice/user-1.slice/session-2.scope', undefined],
  ['/', undefined],
])('of a process in %j it is %j', (found, own) => {
  expect(containerCgroup(found, 'id')).toBe(own);
});
