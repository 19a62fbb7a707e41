/** What a recorded channel looks like in spec/transcripts/channel.json. */
import { readFileSync } from 'node:fs'
import type { Payload, Signal } from '../../src/dist/signal.js'
import { format, type Term } from '../../src/term/index.js'

/** All that a real node sent over one connection, in order: each step goes on with the atom cache of those before it. */
export interface ChannelTranscript {
  readonly peer: number
  readonly self: string
  readonly node: string
  /** Negotiated, in hexadecimal */
  readonly flags: string
  readonly steps: readonly ChannelStep[]
}

export interface ChannelStep {
  /** What the node did */
  readonly name: string
  /** Its frames, without their lengths, in hexadecimal */
  readonly frames: readonly string[]
  /** What they are: a signal for each that is one */
  readonly signals: readonly Readonly<Record<string, unknown>>[]
}

const file = new URL('../../spec/transcripts/channel.json', import.meta.url)
export const channelTranscripts = (): readonly ChannelTranscript[] => JSON.parse(readFileSync(file, 'utf8')).channels

/** A signal as JSON: terms as Erlang writes them. */
export function described(signal: Signal): Record<string, unknown> {
  return Object.fromEntries(Object.entries(signal).map(([key, value]) => [key, describedField(value)]))
}

function describedField(value: unknown): unknown {
  if (typeof value === 'string' || typeof value === 'boolean') return value
  if (value !== null && typeof value === 'object') {
    if ('read' in value) return format((value as Payload).read())
    if ('name' in value && 'node' in value) return `${format(value.name as Term)}@@${format(value.node as Term)}`
  }
  return value === null ? null : format(value as Term)
}
