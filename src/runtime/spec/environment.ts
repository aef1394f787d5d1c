// The environment of a container's processes, as Docker makes it (moby, container/container_unix.go CreateDaemonEnvironment).

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export interface EnvironmentInput {
  readonly hostname: string;
  readonly tty: boolean;
  readonly home: string;
  /** In order: later ones replace earlier ones. A NAME alone takes the variable away. */
  readonly variables: readonly string[];
}

export function environment({ hostname, tty, home, variables }: EnvironmentInput): string[] {
  const values = new Map<string, string>([
    ['PATH', `PATH=${PATH}`],
    ['HOSTNAME', `HOSTNAME=${hostname}`],
  ]);
  if (tty) values.set('TERM', 'TERM=xterm');
  for (const entry of variables) {
    const equals = entry.indexOf('=');
    if (equals < 0) values.delete(entry);
    else values.set(entry.slice(0, equals), entry);
  }
  if (!values.has('HOME')) values.set('HOME', `HOME=${home}`);
  return [...values.values()];
}
