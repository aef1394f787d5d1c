// Records of the log that conmon keeps of what a container writes, in Kubernetes' format: time, stream, a tag that says whether the line
// is whole, and what was written (conmon, src/ctr_logging.c).

export interface LogRecord {
  /** RFC 3339 with nanoseconds, in UTC: `2024-05-01T12:00:00.123456789Z`. */
  readonly time: string;
  readonly stream: 'stdout' | 'stderr';
  /** Whether more of the same line follows. */
  readonly partial: boolean;
  readonly content: Buffer;
}

const SPACE = 0x20;
const NEWLINE = 0x0a;
const PARTIAL = 0x50;

/** Splits a log into records. What does not look like one is left out: the rest of a line when a host went down. */
export class LogParser {
  #rest: Buffer = Buffer.alloc(0);
  #written = '';
  #time = '';

  /** The records that are complete with these bytes, which stay as they are. */
  take(bytes: Buffer): LogRecord[] {
    const records: LogRecord[] = [];
    const text = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    let start = 0;
    for (let end = text.indexOf(NEWLINE); end >= 0; end = text.indexOf(NEWLINE, start)) {
      const record = this.#parse(text, start, end);
      if (record !== undefined) records.push(record);
      start = end + 1;
    }
    this.#rest = Buffer.from(text.subarray(start));
    return records;
  }

  #parse(text: Buffer, start: number, end: number): LogRecord | undefined {
    const stream = text.indexOf(SPACE, start) + 1;
    const tag = text.indexOf(SPACE, stream) + 1;
    const content = text.indexOf(SPACE, tag) + 1;
    if (stream === 0 || tag === 0 || content === 0 || content > end) return undefined;
    const time = this.#utc(text.toString('latin1', start, stream - 1));
    if (time === undefined) return undefined;
    return {
      time,
      stream: text[stream + 3] === 0x65 ? 'stderr' : 'stdout',
      partial: text[tag] === PARTIAL,
      content: text.subarray(content, end),
    };
  }

  /** conmon writes local time, and the same one for all that it has read at once. */
  #utc(written: string): string | undefined {
    if (written === this.#written) return this.#time;
    const [, seconds = '', fraction = '', zone = ''] =
      /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/.exec(written) ?? [];
    const whole = Date.parse(`${seconds}${zone}`);
    if (Number.isNaN(whole)) return undefined;
    this.#written = written;
    this.#time = `${new Date(whole).toISOString().slice(0, 19)}${fraction}Z`;
    return this.#time;
  }
}

/** Whether the record that begins at a place of a log is the end of a line; undefined where none begins. */
export function endsLine(text: Buffer, start: number): boolean | undefined {
  const stream = text.indexOf(SPACE, start) + 1;
  const tag = text.indexOf(SPACE, stream) + 1;
  return stream === 0 || tag === 0 ? undefined : text[tag] !== PARTIAL;
}
