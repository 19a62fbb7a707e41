/** `beamlet call NODE MOD FUN '[ARGS]'`: as erpc:call, printed as the shell prints. */
import { format, parse } from '../index.js'
import { connected } from './client.js'
import { usage } from './errors.js'
import { toJson } from './json.js'
import type { CommonOptions } from './options.js'
import { result } from './output.js'

export interface Call {
  readonly node: string
  readonly mod: string
  readonly fun: string
  /** A list in Erlang syntax */
  readonly args: string
}

export async function call({ node: target, mod, fun, args }: Call, options: CommonOptions): Promise<void> {
  const terms = parse(args)
  if (!Array.isArray(terms)) throw usage(`The arguments are a list, as in '[1, ok]': ${args} is none.`)
  const value = await connected(target, options, node => node.rpc.call(target, mod, fun, terms, { timeout: options.timeout }))
  result(options.json ? toJson(value) : format(value))
}
