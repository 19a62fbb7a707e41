/** What `net_kernel` and `net_adm` tell by rpc of this node and its connections. Source: net_kernel.erl (do_get_node_info, get_state, allowed), net_adm.erl. */
import { hostname } from 'node:os'
import type { Connection } from '../../net/connection.js'
import type { Kernel } from '../../node/kernel.js'
import { Atom, atom, type Sendable, type Term, text, type Tuple, tuple, charlist } from '../../term/index.js'
import type { Builtins } from './builtins.js'

const error = (why: string): Tuple => tuple(atom('error'), atom(why))
const ok = (value: Sendable): Tuple => tuple(atom('ok'), value as Term)

export function netBuiltins(kernel: Kernel<any>): Builtins {
  const connection = (name: unknown): Connection | undefined =>
    name instanceof Atom ? (kernel.main?.peers.live() ?? []).find(({ peer }) => peer.name === name) : undefined
  const info = (found: Connection): Tuple[] => infoOf(kernel, found)
  return {
    net_kernel: {
      'get_net_ticktime/0': () => kernel.netTickTime,
      'get_state/0': () => ({
        started: atom('static'),
        name: atom(kernel.name),
        name_type: atom('static'),
        name_domain: atom(kernel.name.split('@')[1]?.includes('.') === true ? 'longnames' : 'shortnames'),
      }),
      'nodes_info/0': () => ok((kernel.main?.peers.live() ?? []).map(found => tuple(found.peer.name, info(found)))),
      'node_info/1': (_, name) => {
        const found = connection(name)
        return found ? ok(info(found)) : error('bad_node')
      },
      'node_info/2': (_, name, key) => {
        const found = connection(name)
        if (!found) return error('bad_node')
        const value = info(found).find(({ elements }) => elements[0] === key)
        return value ? ok(value.elements[1] as Term) : error('bad_key')
      },
      'allowed/0': () => ok(kernel.allowed().map(name => atom(name))),
      'epmd_module/0': () => atom('erl_epmd'),
    },
    net_adm: {
      'names/0': () => names(kernel, '127.0.0.1'),
      'names/1': (_, host) => names(kernel, host instanceof Atom ? host.name : text(host as Term)),
      'localhost/0': () => charlist(hostname()),
      'host_file/0': () => error('enoent'),
      // Whoever asks does not have this node dial another.
      'ping/1': (_, name) => atom(name === atom(kernel.name) || connection(name) ? 'pong' : 'pang'),
    },
  }
}

function infoOf(kernel: Kernel<any>, { peer, remoteAddress, stats }: Connection): Tuple[] {
  const { table, registry, init } = kernel.processes
  return [
    tuple(atom('owner'), registry.pidOf(atom('net_kernel') as Atom) ?? init.pid),
    tuple(atom('state'), atom('up')),
    tuple(atom('address'), addressOf(remoteAddress, peer.name.name)),
    tuple(atom('type'), atom(peer.visible && table.node !== peer.name ? 'normal' : 'hidden')),
    tuple(atom('in'), stats.signalsIn),
    tuple(atom('out'), stats.signalsOut),
  ]
}

/** `{net_address, {Ip, Port}, Host, tcp, inet}` */
function addressOf(address: string, name: string): Tuple {
  const found = /^(?:::ffff:)?(\d+)\.(\d+)\.(\d+)\.(\d+):(\d+)$/.exec(address)
  const [a = 0, b = 0, c = 0, d = 0, port = 0] = (found?.slice(1) ?? []).map(Number)
  const where = found ? tuple(tuple(a, b, c, d), port) : atom('undefined')
  return tuple(atom('net_address'), where, charlist(name.split('@')[1] ?? ''), atom('tcp'), atom('inet'))
}

/** `{ok, [{Name, Port}]}`, as EPMD of that machine tells; `{error, address}` when it cannot be asked. */
async function names({ epmd }: Kernel<any>, host: string): Promise<Sendable> {
  try {
    const known = await epmd.names(host)
    // As they come from EPMD, byte for byte.
    return ok(known.map(({ name, port }) => tuple([...Buffer.from(name)], port)))
  } catch (why) {
    // What more there is to say is for whoever operates this node to see; net_adm says no more than that.
    return error(String((why as Error).cause ?? why).includes('ENOTFOUND') ? 'nxdomain' : 'address')
  }
}
