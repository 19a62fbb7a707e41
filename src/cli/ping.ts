/** `beamlet ping NODE`: as net_adm:ping, with the reason for a pang. */
import { atom, format } from '../index.js'
import { connected, isAuth } from './client.js'
import { CliError } from './errors.js'
import { exitCodeOf, exitCodes } from './exit-code.js'
import type { CommonOptions } from './options.js'
import { result } from './output.js'

export async function ping(target: string, options: CommonOptions): Promise<void> {
  const say = (answer: 'pong' | 'pang'): void => result(options.json ? JSON.stringify({ node: target, answer }) : answer)
  try {
    const answer = await connected(target, options, node => node.run(self => isAuth(self, target, options.timeout)))
    if (answer !== atom('yes'))
      throw new CliError(
        'CLI_PANG',
        `The node ${target} is connected, but answers a ping with ${format(answer)}: its net_kernel is not OTP's.`,
      )
  } catch (error) {
    if (exitCodeOf(error) !== exitCodes.usage) say('pang')
    throw error
  }
  say('pong')
}
