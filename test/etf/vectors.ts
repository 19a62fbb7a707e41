/** What real BEAM nodes of three releases write, read and refuse: spec/vectors/, made by `make vectors`. */
import { readFileSync } from 'node:fs'

export interface Vector {
  /**
   * - term: what a BEAM writes on the wire
   * - encoded: another encoding that it reads; `canonical` is what it writes
   * - local: the local encoding of the node that wrote it
   * - refused: bytes that it refuses
   */
  readonly kind: 'term' | 'encoded' | 'local' | 'refused'
  readonly name: string
  /** An Erlang expression: the term, or, when refused, the bytes */
  readonly source: string
  /** The term as `io:format("~0tp")` prints it, unless that is very long */
  readonly text?: string
  readonly hex: string
  readonly canonical?: string
}

export const releases = ['25', '27', '29'] as const
export type Release = (typeof releases)[number]

const read = (release: Release): readonly Vector[] =>
  JSON.parse(readFileSync(new URL(`../../spec/vectors/otp${release}.json`, import.meta.url), 'utf8')).vectors

const all = new Map(releases.map(release => [release, read(release)]))

export const vectorsOf = (release: Release): readonly Vector[] => all.get(release)!

export const bytesOf = (hex: string): Buffer => Buffer.from(hex, 'hex')
