/** `beamlet ping NODE`: as net_adm:ping, with the reason for a pang. */
import { ping as answered } from '../ping.js'
import { connected } from './client.js'
import { exitCodeOf, exitCodes } from './exit-code.js'
import type { CommonOptions } from './options.js'
import { result } from './output.js'

export async function ping(target: string, options: CommonOptions): Promise<void> {
  const say = (answer: 'pong' | 'pang'): void => result(options.json ? JSON.stringify({ node: target, answer }) : answer)
  try {
    await connected(target, options, node => answered(node, target, options.timeout))
  } catch (error) {
    if (exitCodeOf(error) !== exitCodes.usage) say('pang')
    throw error
  }
  say('pong')
}
