import { describe, expect, it } from 'vitest';
import { applyChange, applyChanges, parseImageConfig } from '../../../src/image/index.js';
import type { RuntimeConfig } from '../../../src/image/index.js';

const base = parseImageConfig(
  Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      config: { Env: ['PATH=/bin', 'EMPTY='], Cmd: ['old'], WorkingDir: '/srv', Labels: { kept: 'yes' } },
      rootfs: { type: 'layers', diff_ids: [] },
    }),
  ),
);

const good: [string, Partial<RuntimeConfig>][] = [
  ['CMD ["sh", "-c", "a b"]', { Cmd: ['sh', '-c', 'a b'] }],
  ['cmd echo $HOME "x"', { Cmd: ['/bin/sh', '-c', 'echo $HOME "x"'] }],
  ['CMD [ -d /x ] && ls', { Cmd: ['/bin/sh', '-c', '[ -d /x ] && ls'] }],
  ['CMD []', { Cmd: [] }],
  ['ENTRYPOINT top -b', { Entrypoint: ['/bin/sh', '-c', 'top -b'] }],
  ['ENV A=1 B="two words" C=\'$A\' D=a\\ b', { Env: ['PATH=/bin', 'EMPTY=', 'A=1', 'B=two words', 'C=$A', 'D=a b'] }],
  ['ENV A some text here', { Env: ['PATH=/bin', 'EMPTY=', 'A=some text here'] }],
  ['ENV PATH=$PATH:/x', { Env: ['PATH=/bin:/x', 'EMPTY='] }],
  ['ENV X=${EMPTY:-d}${EMPTY-e}${NO:+n}${PATH:+"p q"}', { Env: ['PATH=/bin', 'EMPTY=', 'X=dp q'] }],
  ['ENV X="\\$PATH \\" \\n"', { Env: ['PATH=/bin', 'EMPTY=', 'X=$PATH " \\n'] }],
  ['ENV X=${NO:-${PATH}}', { Env: ['PATH=/bin', 'EMPTY=', 'X=/bin'] }],
  ['ENV X=a$', { Env: ['PATH=/bin', 'EMPTY=', 'X=a$'] }],
  [
    'EXPOSE 80 53/UDP 8000-8002/sctp',
    { ExposedPorts: { '80/tcp': {}, '53/udp': {}, '8000/sctp': {}, '8001/sctp': {}, '8002/sctp': {} } },
  ],
  ['LABEL a=b "c d"="e f"', { Labels: { kept: 'yes', a: 'b', 'c d': 'e f' } }],
  ['ONBUILD RUN make', { OnBuild: ['RUN make'] }],
  ['USER app:app', { User: 'app:app' }],
  ['VOLUME /a "/b c"', { Volumes: { '/a': {}, '/b c': {} } }],
  ['VOLUME ["/a", "/b c"]', { Volumes: { '/a': {}, '/b c': {} } }],
  ['WORKDIR sub/../x/', { WorkingDir: '/srv/x' }],
  ['WORKDIR /abs', { WorkingDir: '/abs' }],
  ['STOPSIGNAL SIGQUIT', { StopSignal: 'SIGQUIT' }],
  ['STOPSIGNAL 9', { StopSignal: '9' }],
  ['STOPSIGNAL RTMIN+3', { StopSignal: 'RTMIN+3' }],
  ['SHELL ["/bin/bash", "-ec"]', { Shell: ['/bin/bash', '-ec'] }],
  ['HEALTHCHECK NONE', { Healthcheck: { Test: ['NONE'] } }],
  [
    'HEALTHCHECK --interval=1m30s --timeout=500ms --retries=3 CMD curl x',
    { Healthcheck: { Interval: 90e9, Timeout: 5e8, Retries: 3, Test: ['CMD-SHELL', 'curl x'] } },
  ],
  ['HEALTHCHECK CMD ["a","b"]', { Healthcheck: { Test: ['CMD', 'a', 'b'] } }],
  ['LABEL a=1 \\\n  b=2\n# comment\nUSER x', { Labels: { kept: 'yes', a: '1', b: '2' }, User: 'x' }],
];

describe('applyChange', () => {
  for (const [change, expected] of good) {
    it(`applies ${JSON.stringify(change)}`, () => {
      expect(applyChange(base, change).config).toMatchObject(expected);
      expect(base.config?.Cmd).toEqual(['old']);
    });
  }

  const bad: [string, RegExp][] = [
    ['RUN x', /'RUN' is not a valid change command/],
    ['constructor x', /is not a valid change command/],
    ['CMD', /CMD needs an argument/],
    ['CMD ["a", 1]', /only strings/],
    ['ENV A', /ENV A has no value/],
    ['ENV A=1 B', /'B' in ENV is not NAME=VALUE/],
    ['ENV =1', /'=1' in ENV/],
    ['ENV A="x', /unterminated "/],
    ["ENV A='x", /unterminated '/],
    ['ENV A=${PATH', /unsupported substitution/],
    ['ENV A=${PATH:-x', /unterminated \$\{/],
    ['ENV A=${PATH/x/y}', /unsupported substitution/],
    ['EXPOSE x', /'x' is not a port/],
    ['EXPOSE 65536', /not a port/],
    ['EXPOSE 9-8', /not a port/],
    ['EXPOSE 1/icmp', /not a port/],
    ['VOLUME [""]', /empty string/],
    ['STOPSIGNAL SIGNOPE', /is not a signal/],
    ['STOPSIGNAL 65', /is not a signal/],
    ['ONBUILD ONBUILD x', /not allowed/],
    ['ONBUILD from x', /not allowed/],
    ['SHELL /bin/sh', /SHELL needs/],
    ['HEALTHCHECK NONE x', /takes no arguments/],
    ['HEALTHCHECK curl', /neither NONE nor CMD/],
    ['HEALTHCHECK CMD', /neither NONE nor CMD/],
    ['HEALTHCHECK --interval=5 CMD x', /'5' is not a duration/],
    ['HEALTHCHECK --interval=1us CMD x', /shorter than a millisecond/],
    ['HEALTHCHECK --retries=-1 CMD x', /not a count/],
    ['HEALTHCHECK --nope=1 CMD x', /no option --nope/],
  ];
  for (const [change, why] of bad) {
    it(`refuses ${JSON.stringify(change)}`, () => {
      expect(() => applyChange(base, change)).toThrow(
        expect.objectContaining({ code: 'invalid', message: expect.stringMatching(why) as unknown }),
      );
    });
  }
});

describe('applyChanges', () => {
  it('clears the old command with a new entrypoint, unless a command is given, too', () => {
    expect(applyChanges(base, ['ENTRYPOINT ["x"]']).config).not.toHaveProperty('Cmd');
    expect(applyChanges(base, ['CMD ["y"]', 'ENTRYPOINT ["x"]']).config).toMatchObject({
      Cmd: ['y'],
      Entrypoint: ['x'],
    });
  });

  it('uses what an earlier change has set', () => {
    const { config } = applyChanges(base, ['ENV A=1', 'ENV B=$A A=2', 'SHELL ["zsh"]', 'CMD ls']);
    expect(config).toMatchObject({ Env: ['PATH=/bin', 'EMPTY=', 'A=2', 'B=1'], Cmd: ['zsh', 'ls'] });
  });

  it('returns the same configuration for no changes', () => {
    expect(applyChanges(base, [])).toBe(base);
  });
});
