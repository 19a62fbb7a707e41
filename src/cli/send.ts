/** `beamlet send NODE NAME 'TERM'`: a message to a registered process, and the certainty that it arrived. */
import { any, atom, isRef, match, parse } from '../index.js'
import { isAuth } from '../ping.js'
import { connected } from './client.js'
import { CliError } from './errors.js'
import type { CommonOptions } from './options.js'

export interface Message {
  readonly node: string
  readonly process: string
  /** In Erlang syntax */
  readonly term: string
}

const noproc = match([atom('DOWN'), isRef, atom('process'), any, atom('noproc')])

export async function send({ node: target, process, term }: Message, options: CommonOptions): Promise<void> {
  const message = parse(term)
  const missing = await connected(target, options, node =>
    node.run(async self => {
      const to = { name: process, node: target }
      // Erlang drops a message to a name that nobody has. The monitor tells, before the answer to what is asked last.
      self.monitor(to)
      self.send(to, message)
      await isAuth(self, target, options.timeout)
      return self.poll(noproc) !== undefined
    }),
  )
  if (missing) throw new CliError('CLI_NO_PROCESS', `No process is registered as '${process}' on ${target}: the message was dropped.`)
}
