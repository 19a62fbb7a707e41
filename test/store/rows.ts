import { format, type Term } from '../../src/index.js'

/** All that comes, in its order */
export async function collect<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const row of rows) all.push(row)
  return all
}

export const keysOf = async (rows: AsyncIterable<readonly [Term, Term]>): Promise<string[]> =>
  (await collect(rows)).map(([key]) => format(key))
