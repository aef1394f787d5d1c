// What the data exerciser asks of a process, and when: calls that fit the state, and which of them may be made at once.

import type { Answer, DataActor } from './data-actor.js';
import type { FileModel, View } from './data-model.js';
import { PAGE } from './data-operations.js';
import type { OpenAs, Simple } from './data-operations.js';

export interface Handle extends View {
  readonly as: OpenAs;
}
export interface Process {
  actor: DataActor;
  readonly handles: Map<number, Handle>;
  readonly maps: Map<number, View>;
}

/** A call that fits the state: what to ask, and what its answer means. `bytes` are those it reads or writes. */
export interface Call {
  readonly process: Process;
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly done: (answer: Answer) => void;
  readonly bytes?: { readonly view: View; readonly from: number; readonly to: number; readonly writes: boolean };
  readonly opens?: { readonly file: FileModel; readonly as: OpenAs };
  readonly touches?: FileModel;
}

/** How far a mapping may be read. */
export const shortest = ({ contents }: View): number => Math.min(...contents.map(({ size }) => size));

/** The wanted one of a process's handles or mappings, if it will do, or else another. */
export function pick<T>(from: ReadonlyMap<number, T>, wanted: number, isFit: (one: T) => boolean): number | undefined {
  const fit = [...from].filter(([, one]) => isFit(one)).map(([key]) => key);
  return fit.includes(wanted) ? wanted : fit[wanted % fit.length];
}

export function suits({ as, writable }: Handle, op: Simple['op']): boolean {
  const readable = as !== 'write' && as !== 'append';
  if (op === 'write' || op === 'ftruncate' || op === 'fallocate') return writable;
  // O_DIRECT wants what is aligned.
  if (op === 'copy' || op === 'send') return readable && as !== 'direct';
  return op === 'read' || op === 'map' ? readable : true;
}

export function aligned({ at, length }: { at: number; length: number }): { at: number; length: number } {
  return { at: at - (at % PAGE), length: Math.ceil(length / PAGE) * PAGE };
}

/** Whether two calls may be made at once and leave no doubt about what comes out. */
export function areApart(first: Call, second: Call): boolean {
  if (first.opens !== undefined && second.opens !== undefined) {
    if (first.opens.file !== second.opens.file) return true;
    const { settled } = first.opens.file;
    const as = [first.opens.as, second.opens.as];
    return !as.includes('truncate') && (settled || as.every((one) => one === 'read'));
  }
  for (const [one, other] of [
    [first, second],
    [second, first],
  ] as const) {
    if (one.opens === undefined) continue;
    // An append goes where the other leaves the end.
    if (other.bytes === undefined) return false;
    return one.opens.as !== 'truncate' || one.opens.file !== other.bytes.view.file;
  }
  const [a, b] = [first.bytes, second.bytes];
  if (a === undefined || b === undefined) return false;
  if (!a.writes && !b.writes) return true;
  if (a.view.file !== b.view.file) return true;
  // What is read at the end of a file depends on who comes first.
  for (const one of [a, b]) if (!one.writes && one.view.contents.some(({ size }) => one.to > size)) return false;
  return a.to <= b.from || b.to <= a.from;
}
