/** What is sent to prove who one is, and what of it must not be seen in a message. */
export interface Sent {
  readonly header: string;
  readonly secrets: readonly string[];
}

/** RFC 7617. */
export function basic(username: string, password: string): Sent {
  const encoded = Buffer.from(`${username}:${password}`, 'utf8').toString('base64');
  return { header: `Basic ${encoded}`, secrets: [encoded, password] };
}
