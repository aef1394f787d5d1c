// Plays operations on the data of files, in two processes, and compares with the model after each.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { errno } from '../../src/core/index.js';
import { O_APPEND, O_DIRECT, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY, SEEK_DATA, SEEK_HOLE } from '../../src/sys/index.js';
import { withDeadline } from '../helpers/tmp.js';
import { DataActor } from './data-actor.js';
import type { Answer } from './data-actor.js';
import { aligned, areApart, pick, shortest, suits } from './data-calls.js';
import type { Call, Handle, Process } from './data-calls.js';
import { Content, difference, pattern } from './data-model.js';
import type { FileModel, View } from './data-model.js';
import { ACTORS, FALLOCATE, MAX_SIZE, PAGE } from './data-operations.js';
import type { OpenAs, Operation, Simple } from './data-operations.js';

const FLAGS: Readonly<Record<OpenAs, number>> = {
  read: O_RDONLY,
  write: O_WRONLY,
  both: O_RDWR,
  append: O_WRONLY | O_APPEND,
  direct: O_RDWR | O_DIRECT,
  truncate: O_RDWR | O_TRUNC,
};
/** What a file system may not have; FUSE has neither of the last two. */
const OPTIONAL: readonly string[] = ['zero', 'zero-keep', 'collapse', 'insert'];
const VERIFY_DEADLINE = 15_000;
const EVERYTHING_EVERY = 25;

export interface PlayerOptions {
  readonly root: string;
  readonly files: readonly FileModel[];
  /** Of lower files longer than this, a handle that was open for reading before the copy-up keeps the lower file (passthrough). */
  readonly keptAbove: number;
  readonly remount: () => Promise<void>;
  readonly drop: () => void;
  readonly freeze: () => Promise<void>;
}

export class DataPlayer {
  readonly #options: PlayerOptions;
  readonly #processes: readonly Process[];
  #step = 0;

  constructor(options: PlayerOptions) {
    this.#options = options;
    this.#processes = Array.from({ length: ACTORS }, () => ({
      actor: new DataActor(),
      handles: new Map<number, Handle>(),
      maps: new Map<number, View>(),
    }));
  }

  async end(): Promise<void> {
    for (const { actor } of this.#processes) await actor.end();
  }

  /** Plays one; throws where something is not as the model has it. What was done, in words. */
  async play(next: Operation): Promise<string> {
    this.#step += 1;
    const calls = await this.#callsOf(next);
    const answers = await Promise.all(calls.map(({ process, name, options }) => process.actor.ask(name, options)));
    calls.forEach((call, index) => call.done(answers[index]!));
    const touched = calls.flatMap(({ touches }) => touches ?? []);
    this.verify(this.#step % EVERYTHING_EVERY === 0 || calls.length === 0 ? this.#options.files : touched);
    for (const file of touched) await this.#verifyViews(file);
    const told = calls.map(({ name, options }, index) => {
      const { data, ...rest } = options;
      const length = data === undefined ? {} : { length: Buffer.from(data as string, 'base64').length };
      return `${name} ${JSON.stringify({ ...rest, ...length })} = ${String(answers[index]!.value)}`;
    });
    return told.join(' || ') || (['drop', 'remount', 'freeze'].includes(next.op) ? next.op : '-');
  }

  /** Reads files by name in this process, as a third one. */
  verify(files: readonly FileModel[]): void {
    for (const file of files) {
      const name = this.#nameOf(file);
      const got = withDeadline(`read of ${name}`, VERIFY_DEADLINE, () => readFileSync(name));
      const wrong = difference(file.content.shown, got);
      if (wrong !== undefined) throw new Error(`read by name, ${path.basename(name)}: ${wrong}`);
    }
  }

  /** Reads a file through one of its handles or mappings, all of it: another one each time. */
  async #verifyViews(file: FileModel): Promise<void> {
    const views = this.#processes.flatMap((process) => [
      ...[...process.handles]
        .filter(([, handle]) => handle.file === file && suits(handle, 'read'))
        .map(([slot, view]) => ({ process, view, call: 'read', options: { slot, at: 0, length: MAX_SIZE } })),
      ...[...process.maps]
        .filter(([, view]) => view.file === file)
        .map(([map, view]) => ({ process, view, call: 'load', options: { map, at: 0, length: shortest(view) } })),
    ]);
    const chosen = views[this.#step % views.length];
    if (chosen === undefined) return;
    const { process, view, call, options } = chosen;
    try {
      this.#read(view, 0, options.length)(await process.actor.ask(call, options));
    } catch (error) {
      throw new Error(`then ${call} ${JSON.stringify(options)}: ${(error as Error).message}`, { cause: error });
    }
  }

  #fileOf({ file }: { readonly file: number }): FileModel {
    return this.#options.files[file % this.#options.files.length]!;
  }

  #nameOf(file: FileModel): string {
    return path.join(this.#options.root, file.names[this.#step % file.names.length]!);
  }

  async #callsOf(next: Operation): Promise<Call[]> {
    switch (next.op) {
      case 'drop':
        this.#options.drop();
        return [];
      case 'remount':
        await this.#remount();
        return [];
      case 'freeze':
        await this.#freeze();
        return [];
      case 'together': {
        const first = await this.#callOf(next.first);
        const second = await this.#callOf({ ...next.second, actor: ACTORS - 1 - next.first.actor });
        if (first === undefined || second === undefined || !areApart(first, second))
          return first === undefined ? [] : [first];
        return [first, second];
      }
      default: {
        const call = await this.#callOf(next);
        return call === undefined ? [] : [call];
      }
    }
  }

  async #remount(): Promise<void> {
    await this.end();
    for (const process of this.#processes) {
      process.handles.clear();
      process.maps.clear();
    }
    await this.#options.remount();
    for (const process of this.#processes) process.actor = new DataActor();
    for (const file of this.#options.files) file.settled = !file.lower;
  }

  /** What nobody writes to is a lower file again. */
  async #freeze(): Promise<void> {
    await this.#options.freeze();
    const views = this.#processes.flatMap(({ handles, maps }) => [...handles.values(), ...maps.values()]);
    const written = new Set(views.filter(({ writable }) => writable).map(({ file }) => file));
    for (const file of this.#options.files) {
      if (written.has(file)) continue;
      Object.assign(file, { lower: true, settled: false, frozen: !file.lower || file.frozen === true });
    }
  }

  /** The call of an operation in this state; undefined where it makes no sense. A taken slot is freed first. */
  async #callOf(next: Simple): Promise<Call | undefined> {
    const process = this.#processes[next.actor]!;
    switch (next.op) {
      case 'open':
        if (process.handles.delete(next.slot)) await process.actor.ask('close', { slot: next.slot });
        return this.#open(process, next);
      case 'truncate': {
        const file = this.#fileOf(next);
        const options = { name: this.#nameOf(file), size: next.size };
        return {
          process,
          name: 'truncate',
          options,
          touches: file,
          done: this.#expecting(0, () => this.#change(file).truncate(next.size)),
        };
      }
      case 'chmod': {
        const file = this.#fileOf(next);
        const mode = 0o600 | (this.#step & 0o77);
        return {
          process,
          name: 'chmod',
          options: { name: this.#nameOf(file), mode },
          touches: file,
          done: this.#expecting(0, () => (file.lower = false)),
        };
      }
      case 'unmap':
      case 'msync':
      case 'load':
      case 'store': {
        const map = pick(process.maps, next.map, ({ writable }) => writable || next.op !== 'store');
        return map === undefined ? undefined : this.#mapped(process, { ...next, map }, process.maps.get(map)!);
      }
      default: {
        const slot = pick(process.handles, next.slot, (handle) => suits(handle, next.op));
        if (slot === undefined) return undefined;
        const handle = process.handles.get(slot)!;
        if (next.op === 'holes') return this.#findHoles(process, slot, handle);
        if (next.op === 'map' && process.maps.delete(next.map)) await process.actor.ask('unmap', { map: next.map });
        return this.#handled(process, { ...next, slot }, handle);
      }
    }
  }

  #expecting(value: number, then: () => void = () => undefined): (answer: Answer) => void {
    return (answer) => {
      if (answer.value !== value) throw new Error(`returns ${String(answer.value)} instead of ${String(value)}`);
      then();
    };
  }

  /** The content of a file that is about to be changed by name or opened for writing: a copy of the lower file is made. */
  #change(file: FileModel): Content {
    file.lower = false;
    if (file.settled) return file.content;
    file.settled = true;
    const unsure = file.frozen === true;
    file.frozen = false;
    if (!unsure && file.content.size <= this.#options.keptAbove) return file.content;
    const [before, after] = [file.content, new Content(file.content.shown)];
    file.content = after;
    for (const { handles, maps } of this.#processes) {
      for (const view of [...handles.values(), ...maps.values()]) {
        if (view.file !== file) continue;
        if (unsure) view.contents = [...view.contents, after];
        else if (view.unsure) view.contents = [before, after];
      }
    }
    return after;
  }

  #open(process: Process, next: Simple & { readonly op: 'open' }): Call {
    const { slot, as } = next;
    const file = this.#fileOf(next);
    const done = (): void => {
      const content = as === 'read' ? file.content : this.#change(file);
      if (as === 'truncate') content.truncate(0);
      const unsure = as === 'read' && !file.lower && !file.settled;
      process.handles.set(slot, { as, file, contents: [content], unsure, writable: as !== 'read' });
    };
    const options = { slot, name: this.#nameOf(file), flags: FLAGS[as] };
    const answered = ({ value }: Answer): void => {
      if (value < 0) throw new Error(`open returns ${String(value)}`);
      done();
    };
    return { process, name: 'open', options, opens: { file, as }, touches: file, done: answered };
  }

  /** A view's answer is one of what it may show; from then on it shows that. */
  #read(view: View, at: number, length: number): (answer: Answer) => void {
    return ({ value, data = '' }) => {
      if (value < 0) throw new Error(`returns ${String(value)}`);
      const got = Buffer.from(data, 'base64');
      const fitting = view.contents.filter((content) => content.read(at, length).equals(got));
      if (fitting.length === 0) throw new Error(difference(view.contents[0]!.read(at, length), got));
      view.contents = fitting;
    };
  }

  #mapped(process: Process, next: Simple & { readonly map: number }, view: View): Call | undefined {
    const { map } = next;
    const touches = view.file;
    if (next.op === 'unmap' || next.op === 'msync') {
      if (next.op === 'unmap') process.maps.delete(map);
      return { process, name: next.op, options: { map }, done: this.#expecting(0) };
    }
    if (next.op !== 'load' && next.op !== 'store') return undefined;
    const size = shortest(view);
    if (size === 0) return undefined;
    const at = next.at % size;
    const length = Math.min(next.length, size - at);
    const bytes = { view, from: at, to: at + length, writes: next.op === 'store' };
    if (next.op === 'load') {
      return { process, name: 'load', options: { map, at, length }, bytes, done: this.#read(view, at, length) };
    }
    const data = pattern(this.#step, length);
    const done = this.#expecting(length, () => {
      view.contents[0]!.write(at, data);
      view.contents[0]!.mapped = true;
    });
    return { process, name: 'store', options: { map, at, data: data.toString('base64') }, bytes, touches, done };
  }

  #handled(process: Process, next: Simple & { readonly slot: number }, handle: Handle): Call | undefined {
    const { slot } = next;
    const { file: touches, as, writable } = handle;
    const [content] = handle.contents as [Content];
    const plain = (name: string, options = {}, then?: () => void): Call => ({
      process,
      name,
      options: { slot, ...options },
      touches,
      done: this.#expecting(0, then),
    });
    switch (next.op) {
      case 'close':
        process.handles.delete(slot);
        return plain('close');
      case 'fsync':
      case 'fdatasync':
        return plain(next.op, {}, () => (content.mapped = false));
      case 'advise':
        return plain('advise');
      case 'fchmod':
        return plain('fchmod', { mode: 0o600 | (this.#step & 0o77) }, () => (touches.lower = false));
      case 'map':
        return plain('map', { map: next.map, length: MAX_SIZE, writable }, () => {
          const { contents, unsure, file } = handle;
          process.maps.set(next.map, { contents, unsure, file, writable });
        });
      case 'ftruncate':
        return plain('ftruncate', { size: next.size }, () => content.truncate(next.size));
      case 'read': {
        const { at, length } = as === 'direct' ? aligned(next) : next;
        const bytes = { view: handle, from: at, to: at + length, writes: false };
        return { process, name: 'read', options: { slot, at, length }, bytes, done: this.#read(handle, at, length) };
      }
      case 'write':
        return this.#write(process, next, handle);
      case 'fallocate':
        return this.#fallocate(process, next, handle);
      case 'copy':
      case 'send':
        return this.#copy(process, next, handle);
      default:
        return undefined;
    }
  }

  #write(process: Process, next: { slot: number; at: number; length: number }, handle: Handle): Call | undefined {
    const [content] = handle.contents as [Content];
    const { slot } = next;
    const appends = handle.as === 'append';
    const { at, length: wanted } =
      handle.as === 'direct' ? aligned(next) : appends ? { ...next, at: content.size } : next;
    const length = Math.min(wanted, MAX_SIZE - at);
    if (length <= 0) return undefined;
    const data = pattern(this.#step, length);
    const options = { slot, ...(appends ? {} : { at }), data: data.toString('base64') };
    const spread = handle.as === 'direct' ? PAGE : 1;
    const bytes = { view: handle, from: at - spread + 1, to: at + length + spread - 1, writes: true };
    const done = this.#expecting(length, () => content.write(at, data));
    // Where an append goes depends on what goes on meanwhile.
    const apart = appends ? {} : { bytes };
    return { process, name: appends ? 'append' : 'write', options, ...apart, touches: handle.file, done };
  }

  #fallocate(process: Process, next: Simple & { readonly op: 'fallocate' }, handle: Handle): Call | undefined {
    const { slot, mode } = next;
    const [content] = handle.contents as [Content];
    const { at, length: wanted } = mode === 'collapse' || mode === 'insert' ? aligned(next) : next;
    const length = Math.min(wanted, MAX_SIZE - at);
    if (length <= 0) return undefined;
    if (mode === 'collapse' && at + length >= content.size) return undefined;
    if (mode === 'insert' && (at >= content.size || content.size + length > MAX_SIZE)) return undefined;
    const done = ({ value }: Answer): void => {
      if (value === -errno.EOPNOTSUPP && OPTIONAL.includes(mode)) return;
      if (value !== 0) throw new Error(`fallocate returns ${String(value)}`);
      content.fallocate(mode, at, length);
    };
    return {
      process,
      name: 'fallocate',
      options: { slot, mode: FALLOCATE[mode], at, length },
      touches: handle.file,
      done,
    };
  }

  #copy(process: Process, next: Simple & { readonly op: 'copy' | 'send' }, from: Handle): Call | undefined {
    const toSlot = pick(process.handles, next.to, ({ as, writable }) => writable && as !== 'append' && as !== 'direct');
    if (toSlot === undefined || from.contents.length > 1) return undefined;
    const to = process.handles.get(toSlot)!;
    const [source, target] = [from.contents[0]!, to.contents[0]!];
    const { slot, at, toAt } = next;
    const wanted = Math.min(next.length, MAX_SIZE - toAt);
    // sendfile goes on into what it has written itself.
    const length = source === target ? Math.min(wanted, source.size - at) : wanted;
    if (length <= 0 || (source === target && at < toAt + length && toAt < at + length)) return undefined;
    const bytes = Buffer.from(source.read(at, length));
    const done = ({ value }: Answer): void => {
      const fits = bytes.length === 0 ? value === 0 : value > 0 && value <= bytes.length;
      if (!fits) throw new Error(`returns ${String(value)}, of ${String(bytes.length)} bytes`);
      if (value > 0) target.write(toAt, bytes.subarray(0, value));
    };
    return { process, name: next.op, options: { slot, at, to: toSlot, toAt, length }, touches: to.file, done };
  }

  /** Asks for every hole; what is in one has to be zero. What waits in a mapping is not told to FUSE servers. */
  async #findHoles(process: Process, slot: number, { contents }: Handle): Promise<undefined> {
    const [{ shown, mapped }] = contents as [Content];
    if (contents.length > 1 || mapped) return;
    const seek = async (at: number, whence: number): Promise<number> =>
      (await process.actor.ask('seek', { slot, at, whence })).value;
    for (let at = 0; at < shown.length;) {
      const data = await seek(at, SEEK_DATA);
      const end = data === -errno.ENXIO ? shown.length : data;
      if (end < at) throw new Error(`SEEK_DATA from ${String(at)} returns ${String(data)}`);
      if (shown.subarray(at, end).some((byte) => byte !== 0))
        throw new Error(`no hole from ${String(at)} to ${String(end)}`);
      if (end >= shown.length) break;
      at = await seek(end, SEEK_HOLE);
      if (at <= end) throw new Error(`SEEK_HOLE from ${String(end)} returns ${String(at)}`);
    }
  }
}
