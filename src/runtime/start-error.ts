// Failures to run a command, with the exit codes that docker gives them.

import { VeneerError } from '../core/index.js';
import type { ErrorDetail, ErrorKind } from '../core/index.js';

/** The container or its command could not be started. */
export class StartError extends VeneerError {
  /** 127: no such command; 126: it cannot be run; 125: everything else. */
  readonly exitCode: 125 | 126 | 127;

  constructor(code: ErrorKind, message: string, detail: ErrorDetail & { exitCode: 125 | 126 | 127 }) {
    super(code, message, detail);
    this.exitCode = detail.exitCode;
  }
}

/** The reason in the words of a runtime: the last line that is no warning, without the runtime's own name and marks. */
function reasonOf(text: string): string {
  const lines = text
    .split('\n')
    .map((line) => /level=(?:error|fatal) msg="((?:[^"\\]|\\.)*)"/.exec(line)?.[1]?.replaceAll('\\"', '"') ?? line)
    .map((line) =>
      line.replace(/^(?:crun|runc)(?: (?:run|create|start|exec) failed)?: |^\d{4}-\d\d-\d\dT\S+ /, '').trim(),
    )
    .filter((line) => line !== '' && !/level=(?:warning|info|debug)|^\[conmon:[a-z]\]/.test(line));
  return lines.at(-1) ?? '';
}

/** The kernel's words for it, without what was being done. */
function lastOf(reason: string): string {
  return (reason.split(': ').at(-1) ?? reason).toLowerCase();
}

/** What a runtime complained of, as one error. `doing`: 'start container web'. `command`: what was to be run, which crun does not always name. */
export function startError(doing: string, complaint: string, command?: string): StartError {
  const reason = reasonOf(complaint);
  const [, missing] =
    /executable file [`"']?(.*?)[`"']? not found in \$PATH/.exec(reason) ??
    /exec: "(.*?)": (?:executable file not found|stat .*no such file)/.exec(reason) ??
    /cannot find executable [`"']?(.*?)[`"']?(?::|$)/.exec(reason) ??
    [];
  if (missing !== undefined) {
    const message = `cannot ${doing}: no such command in the container: ${missing}`;
    return new StartError('not-found', message, { exitCode: 127 });
  }
  if (
    /(?:exec|executable|open).*(?:permission denied|operation not permitted|is a directory|exec format error)/i.test(
      reason,
    )
  ) {
    const what = command === undefined ? `its command cannot be run: ${reason}` : `${command}: ${lastOf(reason)}`;
    return new StartError('permission', `cannot ${doing}: ${what}`, { exitCode: 126 });
  }
  if (/exec.*no such file or directory/i.test(reason)) {
    return new StartError('not-found', `cannot ${doing}: no such command in the container: ${command ?? reason}`, {
      exitCode: 127,
    });
  }
  return new StartError('unavailable', `cannot ${doing}: ${reason === '' ? 'the OCI runtime failed' : reason}`, {
    exitCode: 125,
  });
}
