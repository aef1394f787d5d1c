import { describe, expect, test } from 'vitest';
import { helperOptions, mayAllowOther } from '../../../src/fuse/mount-helper.js';
import { MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY } from '../../../src/sys/index.js';

const PLAIN = { mountpoint: '/m', source: 'veneer', subtype: 'veneer', flags: 0, allowOther: true };
const ALLOWED = 'user_allow_other\n';

test.each([
  ['nothing', '', false],
  ['a comment', '#user_allow_other\n', false],
  ['another line', 'mount_max = 1000\n', false],
  ['the word in another one', 'user_allow_others\n', false],
  ['the line', ALLOWED, true],
  ['the line among others', '# may\nmount_max = 5\n user_allow_other \n', true],
])('%s in fuse.conf: allow_other %s', (_what, configuration, may) => {
  expect(mayAllowOther(configuration)).toBe(may);
});

describe('the options of the helper', () => {
  test('let others in only where that is allowed', () => {
    expect(helperOptions(PLAIN, '')).toBe('fsname=veneer,subtype=veneer,default_permissions');
    expect(helperOptions(PLAIN, ALLOWED)).toBe('fsname=veneer,subtype=veneer,default_permissions,allow_other');
    expect(helperOptions({ ...PLAIN, allowOther: false }, ALLOWED)).not.toContain('allow_other');
  });

  test('spell the flags', () => {
    const flags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
    expect(helperOptions({ ...PLAIN, flags }, '')).toBe(
      'fsname=veneer,subtype=veneer,default_permissions,ro,nosuid,nodev,noexec',
    );
  });

  test('cannot be added to by the name of the source', () => {
    expect(helperOptions({ ...PLAIN, source: 'a,allow_other\\' }, '')).toBe(
      'fsname=a\\,allow_other\\\\,subtype=veneer,default_permissions',
    );
  });
});
