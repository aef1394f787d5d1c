// What a server's main thread starts and ends: the part of it that mounts and answers, whatever the transport.

export interface ServerEvents {
  /** The mount answers. */
  readonly ready: () => void;
  readonly log: (message: string, detail: string) => void;
}

export interface Server {
  /** Settled when the mount has ended, or could not be made. */
  readonly ended: Promise<void>;
  /** Begins to end the mount; a busy one ends with its last user. */
  readonly unmount: () => void;
}

/** An error as a line of the log has it. */
export function detailOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
