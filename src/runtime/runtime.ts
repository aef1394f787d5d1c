// An OCI runtime, and what veneer asks of it. Containers have their full IDs there.

import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { VeneerError } from '../core/index.js';
import { identityOf } from '../sys/index.js';
import type { ProcessIdentity } from '../sys/index.js';
import { delegatedStart } from './cgroups.js';
import type { CgroupPlace } from './cgroups.js';
import { CompiledFilters } from './compiled-filters.js';
import { programEnvironment, startConmon } from './conmon.js';
import { Exec } from './exec.js';
import type { ExecRequest } from './exec.js';
import { hold } from './hold.js';
import { runFiles } from './run-directory.js';
import type { RunFiles } from './run-directory.js';
import { creatingCommand } from './runtime-program.js';
import type { RuntimeProgram } from './runtime-program.js';
import { readyCgroups } from './ready-cgroups.js';
import { sealedProgram } from './sealed-program.js';
import { encodeSpec } from './spec/encode-spec.js';
import type { OciSpec } from './spec/oci-spec.js';
import { StartError, startError } from './start-error.js';

export interface CreateRequest {
  readonly id: string;
  readonly name: string;
  /** The OCI specification of the container. */
  readonly spec: OciSpec;
  readonly terminal: boolean;
  /** `once`: closed when the first who is attached leaves or has no more; `open`: stays open for the next one. */
  readonly stdin: 'none' | 'once' | 'open';
  /** A file for what it writes, in the format of Kubernetes, and after how many bytes it is begun anew; without one nothing is kept. */
  readonly log?: { readonly path: string; readonly maxSize?: number };
  /** A program, by its path, that conmon runs when the container has ended, and waits for. */
  readonly exitCommand: readonly [string, ...string[]];
  /** Who makes its cgroup; by default, the runtime. */
  readonly cgroups?: CgroupPlace['manager'];
}

export interface CreatedProcess {
  /** The container's first process, which waits to be started. */
  readonly process: ProcessIdentity;
  readonly monitor: ProcessIdentity;
}

/** Undefined where conmon was killed before it could say. */
function monitorOf({ monitorPidFile }: RunFiles): ProcessIdentity | undefined {
  try {
    return identityOf(Number(readFileSync(monitorPidFile, 'latin1')));
  } catch {
    return undefined;
  }
}

const toRuntime = (args: readonly string[]): string[] => args.flatMap((arg) => ['--runtime-arg', arg]);

export class Runtime {
  readonly program: RuntimeProgram;
  readonly #runDirectory: string;

  constructor(runDirectory: string, program: RuntimeProgram) {
    this.#runDirectory = runDirectory;
    this.program = program;
  }

  files(id: string): RunFiles {
    return runFiles(this.#runDirectory, id);
  }

  /** The runtime's own directory. */
  get #root(): string {
    return join(this.#runDirectory, this.program.kind);
  }

  /** How it is called to make processes, by whatever path. */
  #command(path: string, cgroups: CreateRequest['cgroups'], { isShared = false } = {}): string[] {
    const without = cgroups === 'none' && this.program.kind === 'crun' ? ['--cgroup-manager=disabled'] : [];
    return [...creatingCommand({ ...this.program, path }, { isShared }), '--root', this.#root, ...without];
  }

  /** What tells conmon how to call it. */
  #callArguments({ cgroups, isShared = false }: { cgroups: CreateRequest['cgroups']; isShared?: boolean }): string[] {
    const [program = '', ...args] = this.#command(sealedProgram(this.program.path), cgroups, { isShared });
    return ['--runtime', program, ...toRuntime(args), ...(cgroups === 'systemd' ? ['--systemd-cgroup'] : [])];
  }

  /**
   * A command line that runs a process in a running container and ends as that does. `process`: a file with its specification. Its number
   * is written into `pidFile`, unless it could not be started.
   */
  execCommand(
    id: string,
    { process, pidFile, cgroups }: { process: string; pidFile: string } & Pick<CreateRequest, 'cgroups'>,
  ): string[] {
    const systemd = cgroups === 'systemd' ? ['--systemd-cgroup'] : [];
    return [
      ...this.#command(this.program.path, cgroups),
      ...systemd,
      'exec',
      '--process',
      process,
      '--pid-file',
      pidFile,
      id,
    ];
  }

  /** Makes a further process in a running container ready to start. Throws `StartError`. */
  prepareExec({
    cgroups,
    ...request
  }: Omit<ExecRequest, 'directory' | 'runtime' | 'through'> & Pick<CreateRequest, 'cgroups'>): Promise<Exec> {
    const { directory } = this.files(request.id);
    if (cgroups !== 'none') void readyCgroups();
    const through = delegatedStart(cgroups);
    return Exec.prepare({ ...request, directory, through, runtime: this.#callArguments({ cgroups }) });
  }

  /**
   * Makes a container, watched by a conmon of its own; its command waits for `start`. Throws `StartError`: then there is none.
   */
  async create(request: CreateRequest): Promise<CreatedProcess> {
    const files = this.files(request.id);
    mkdirSync(files.directory, { recursive: true, mode: 0o700 });
    for (const stale of [files.exit, files.oom, files.left, files.pidFile, files.monitorPidFile])
      rmSync(stale, { force: true });
    const filters =
      this.program.kind === 'crun' ? new CompiledFilters(this.#runDirectory, this.program.path) : undefined;
    const spec = filters?.addTo(request.spec) ?? request.spec;
    writeFileSync(files.spec, encodeSpec(spec), { mode: 0o600 });
    const doing = `start container ${request.name}`;
    if (request.cgroups !== 'none') void readyCgroups();
    const { data, message } = await startConmon(this.#conmonArguments(request, files), files.directory);
    if (data <= 0) throw startError(doing, message, request.spec.process.args[0]);
    const monitor = monitorOf(files);
    const process = identityOf(data);
    if (process === undefined || monitor === undefined) {
      throw new StartError('unavailable', `cannot ${doing}: its process ended at once`, { exitCode: 125 });
    }
    filters?.keep(spec, join(this.#root, request.id));
    return { process, monitor };
  }

  #conmonArguments(request: CreateRequest, files: RunFiles): string[] {
    const { id, name, spec, terminal, stdin, log, exitCommand } = request;
    const [exitProgram, ...exitArguments] = exitCommand;
    return [
      ...['--api-version', '1', '--cid', id, '--cuuid', id, '--name', name, '--bundle', files.directory],
      ...this.#callArguments({ cgroups: request.cgroups, isShared: spec.linux.rootfsPropagation === 'shared' }),
      ...['--container-pidfile', files.pidFile, '--conmon-pidfile', files.monitorPidFile],
      // The exit code, and the word that memory ran out.
      ...['--persist-dir', files.directory, '--full-attach', '--no-sync-log'],
      ...['--log-path', log === undefined ? 'off' : `k8s-file:${log.path}`],
      ...(log?.maxSize === undefined ? [] : ['--log-size-max', String(log.maxSize)]),
      // With a terminal, input has no end of its own.
      ...(terminal ? ['--terminal'] : stdin === 'none' ? [] : ['--stdin']),
      ...(stdin === 'open' ? ['--leave-stdin-open'] : []),
      ...['--exit-command', exitProgram, ...exitArguments.flatMap((it) => ['--exit-command-arg', it])],
    ];
  }

  /** Lets the command of a created container begin. Throws `StartError`. */
  async start(id: string, name: string): Promise<void> {
    const { code, complaint } = await this.#run(['start', id]);
    if (code !== 0) throw startError(`start container ${name}`, complaint);
  }

  /** Sends a signal, by its number, to the first process, or to all of them. Throws `not-found` where it is gone. */
  async kill(id: string, signal: number, { all = false }: { all?: boolean } = {}): Promise<void> {
    await this.#must(['kill', ...(all ? ['--all'] : []), id, String(signal)], 'send a signal to');
  }

  /** Holds all its processes. */
  async pause(id: string): Promise<void> {
    await this.#must(['pause', id], 'pause');
  }

  /** Holds all its processes until the returned function is called, or this process is gone. Throws `not-found`. */
  hold(id: string): Promise<() => Promise<void>> {
    return hold([this.program.path, '--root', this.#root], id);
  }

  async resume(id: string): Promise<void> {
    await this.#must(['resume', id], 'resume');
  }

  /** Forgets an ended container and removes its cgroups; with `force`, kills it. One that is not there is forgotten already. */
  async delete(id: string, { force = false }: { force?: boolean } = {}): Promise<void> {
    const { code, complaint } = await this.#run(['delete', ...(force ? ['--force'] : []), id]);
    if (code === 0 || /does not exist|no such file or directory/i.test(complaint)) return;
    throw new VeneerError('unavailable', `cannot remove what is left of container ${id.slice(0, 12)}: ${complaint}`);
  }

  async #must(args: readonly string[], doing: string): Promise<void> {
    const { code, complaint } = await this.#run(args);
    if (code === 0) return;
    const gone = /does not exist|not running|no such process|process already finished/i.test(complaint);
    throw new VeneerError(gone ? 'not-found' : 'unavailable', `cannot ${doing} the container: ${complaint}`);
  }

  #run(args: readonly string[]): Promise<{ code: number; complaint: string }> {
    const { path } = this.program;
    return new Promise((resolve, reject) => {
      const runtime = spawn(sealedProgram(path), ['--root', this.#root, ...args], {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: programEnvironment(),
      });
      let complaint = '';
      runtime.stderr.setEncoding('utf8').on('data', (text: string) => {
        complaint += text;
      });
      runtime.once('error', (cause) => {
        reject(new VeneerError('unavailable', `cannot run ${path}`, { cause }));
      });
      runtime.once('close', (code, signal) => {
        const last = complaint.trim().split('\n').at(-1) ?? '';
        resolve({ code: code ?? 1, complaint: signal === null ? last : `${path} was ended by ${signal}` });
      });
    });
  }
}
