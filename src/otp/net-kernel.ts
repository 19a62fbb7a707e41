/**
 * The registered process `net_kernel`: what `net_adm:ping` asks, `{is_auth, Node}` → `yes`. Source: net_adm.erl, net_kernel.erl.
 */
import type { Process } from '../process/index.js'
import { atom, Tuple, tuple } from '../term/index.js'
import { parseRequest, reply } from './gen/gen.js'

export async function netKernel(self: Process): Promise<void> {
  for await (const message of self) {
    const parsed = parseRequest(message)
    if (parsed.kind !== 'call') continue
    const { from, request } = parsed
    const known = request instanceof Tuple && request.tag === 'is_auth'
    reply(self, from, known ? atom('yes') : tuple(atom('error'), atom('bad_request')))
  }
}
