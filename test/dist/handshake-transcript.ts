/** What a recorded handshake looks like in spec/transcripts/handshakes.json, and how to start our half of it. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { accept, type Agreement, type Handshake, initiate } from '../../src/dist/handshake.js'
import { type Atom, atom } from '../../src/term/index.js'

export interface Transcript {
  readonly name: string
  /** The release on the other side; "by hand" where no release at hand says this */
  readonly peer: number | 'by hand'
  readonly ours: Ours
  /** Frames without their lengths, in hexadecimal; `closes` is the end of the connection */
  readonly says: readonly (readonly ['we' | 'peer', string])[]
  /** What we make of it: an error's code, or the agreement */
  readonly result: string | Recorded
}

/** Our side of the conversation. Flags are in hexadecimal. */
export interface Ours {
  readonly side: 'initiate' | 'accept'
  readonly name: string
  readonly creation: number
  readonly flags: string
  readonly cookie: string
  readonly challenge: number
  /** initiate: the node that was dialled */
  readonly dials?: string
  /** initiate: the answer to alive */
  readonly whenAlive?: boolean
  /** accept: a status, or `named:name@host` */
  readonly status?: string
}

export interface Recorded {
  readonly name: string
  readonly creation: number
  readonly flags: string
  readonly theirFlags: string
  readonly visible: boolean
  /** Our own name afterwards */
  readonly self: string
}

const file = new URL('../../spec/transcripts/handshakes.json', import.meta.url)
export const transcripts = (): readonly Transcript[] => JSON.parse(readFileSync(file, 'utf8')).handshakes

export function startOurs(ours: Ours): Handshake {
  const { name, creation, cookie, challenge } = ours
  const self = { name: atom(name) as Atom, creation, flags: BigInt(`0x${ours.flags}`) }
  const machine = { md5: (bytes: Uint8Array) => createHash('md5').update(bytes).digest(), challenge: () => challenge }
  if (ours.side === 'initiate') {
    const whenAlive = ours.whenAlive === undefined ? undefined : () => ours.whenAlive === true
    return initiate({ self, cookie, peer: atom(ours.dials ?? '') as Atom, whenAlive, ...machine })
  }
  const named = /^named:(.*)$/.exec(ours.status ?? '')?.[1]
  const status = named === undefined ? (ours.status as 'ok') : { named, creation: 5 }
  return accept({ self, cookieFor: () => cookie, status: () => status, ...machine })
}

export function recorded({ peer, self }: Agreement): Recorded {
  return {
    name: peer.name.name,
    creation: peer.creation,
    flags: peer.flags.toString(16),
    theirFlags: peer.theirFlags.toString(16),
    visible: peer.visible,
    self: self.name.name,
  }
}
