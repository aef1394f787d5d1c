// Which ids a user may use beside his own: subuid(5), subgid(5). Pure.

export interface SubordinateRange {
  readonly first: number;
  readonly count: number;
}

/** Beyond these, the kernel takes no more lines in a map (user_namespaces(7)); one is for the user himself. */
const MAX_RANGES = 339;

/** The ranges that the text of /etc/subuid or /etc/subgid gives to a user, whom it names by name or number. */
export function subordinateRanges(text: string, user: { name: string | undefined; uid: number }): SubordinateRange[] {
  const ranges: SubordinateRange[] = [];
  for (const line of text.split('\n')) {
    const match = /^([^:#]+):(\d+):(\d+)\s*$/.exec(line);
    if (match === null) continue;
    const [, owner, first, count] = match;
    if (owner !== user.name && owner !== String(user.uid)) continue;
    if (Number(count) > 0) ranges.push({ first: Number(first), count: Number(count) });
  }
  return ranges.slice(0, MAX_RANGES);
}

/** The arguments of newuidmap and newgidmap: root is the user himself, 1 and up are the subordinate ids in their order. */
export function mapArguments(own: number, ranges: readonly SubordinateRange[]): string[] {
  const args = ['0', String(own), '1'];
  let next = 1;
  for (const { first, count } of ranges) {
    args.push(String(next), String(first), String(count));
    next += count;
  }
  return args;
}
