/** Plays spec/transcripts/epmd.json to an EPMD: the embedded one in the unit tests, real ones in interop/. */
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { once } from 'node:events'

interface Saying {
  readonly client: string
  readonly means: string
  readonly sends: string
  readonly gets: string
  readonly then?: 'stays' | 'ends'
}

type Step = Saying | { readonly client: string; readonly closes: true }

export interface Conversation {
  readonly name: string
  readonly steps: readonly Step[]
}

const transcript = new URL('../../spec/transcripts/epmd.json', import.meta.url)
export const conversations: readonly Conversation[] = JSON.parse(readFileSync(transcript, 'utf8')).conversations

/** Every request of the transcript with its answer, `port` put in. */
export const sayings: readonly Saying[] = conversations.flatMap(({ steps }) => steps.filter(step => 'sends' in step))

const pattern = (gets: string, port: number): RegExp => new RegExp(`^${gets.replace('PORT', port.toString(16).padStart(8, '0'))}$`)

/** A connection that remembers what it was told. */
export class Line {
  readonly socket: Socket
  #got = ''
  #ended = false
  #changed = (): void => {}

  constructor(port: number, host = '127.0.0.1') {
    this.socket = connect({ port, host })
    this.socket.on('data', piece => this.#change(() => (this.#got += piece.toString('hex'))))
    this.socket.on('close', () => this.#change(() => (this.#ended = true)))
    // EPMD may reset a connection that it drops with bytes unread; 'close' tells the same.
    this.socket.on('error', () => {})
  }

  #change(change: () => void): void {
    change()
    this.#changed()
  }

  async #until(enough: () => boolean): Promise<void> {
    while (!enough() && !this.#ended) await new Promise<void>(resolve => (this.#changed = resolve))
  }

  /** What has come since the last call, once there are that many digits or the connection is over. */
  async hear(digits: number): Promise<string> {
    await this.#until(() => this.#got.length >= digits)
    const heard = this.#got
    this.#got = ''
    return heard
  }

  get ended(): boolean {
    return this.#ended
  }

  async untilEnded(): Promise<void> {
    await this.#until(() => false)
  }

  async close(): Promise<void> {
    if (this.#ended) return
    this.socket.end()
    await once(this.socket, 'close')
  }
}

/** @param check is called for each answer */
export async function play(
  steps: readonly Step[],
  port: number,
  check: (heard: string, expected: RegExp, step: Saying) => void,
): Promise<void> {
  const lines = new Map<string, Line>()
  for (const step of steps) {
    const line = lines.get(step.client) ?? new Line(port)
    lines.set(step.client, line)
    if ('closes' in step) {
      await line.close()
      lines.delete(step.client)
      continue
    }
    line.socket.write(Buffer.from(step.sends, 'hex'))
    const expected = pattern(step.gets, port)
    if (step.then === 'ends') await line.untilEnded()
    check(await line.hear(expected.source.length - 2), expected, step)
    if (line.ended) lines.delete(step.client)
  }
  for (const line of lines.values()) await line.close()
}
