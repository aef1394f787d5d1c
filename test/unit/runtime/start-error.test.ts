import { describe, expect, test } from 'vitest';
import { startError } from '../../../src/runtime/index.js';

describe('what runtimes complain of', () => {
  test.each([
    [
      'crun: executable file `nosuch` not found in $PATH: No such file or directory',
      127,
      /no such command .*: nosuch$/,
    ],
    ['crun: executable file `/nosuch` not found: No such file or directory', 127, /no such command/],
    ['crun: open executable: Permission denied', 126, /cannot be run: open executable: Permission denied$/],
    ['crun: open executable: Operation not permitted', 126, /cannot be run/],
    [
      'time="2024-01-01T00:00:00Z" level=error msg="runc create failed: unable to start container process: exec: \\"nosuch\\": executable file not found in $PATH"',
      127,
      /no such command .*: nosuch$/,
    ],
    ['runc create failed: unable to start container process: exec: "/etc": permission denied', 126, /cannot be run/],
    [
      'level=warning msg="a thing"\ncrun: writing file `/sys/fs/cgroup/x`: Invalid argument',
      125,
      /^cannot start container web: writing file/,
    ],
    ['', 125, /the OCI runtime failed$/],
  ])('%s', (complaint, exitCode, message) => {
    const error = startError('start container web', complaint);
    expect(error).toMatchObject({ exitCode });
    expect(error.message).toMatch(message);
  });
});
