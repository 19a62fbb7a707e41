/** Connections, as the ports that a BEAM node has for them. Source: the manual of erlang, port_info/1 and /2; observer_backend.erl (get_port_list). */
import type { Connection } from '../net/connection.js'
import type { Kernel } from '../node/kernel.js'
import type { Builtins } from '../otp/rpc/builtins.js'
import { Atom, atom, equals, Port, type Sendable, type Term, type Tuple, tuple, charlist } from '../term/index.js'

const numbers = new WeakMap<Connection, bigint>()
let last = 0n

export interface ConnectionPort {
  readonly port: Port
  readonly connection: Connection
}

/** One for each connection that is up */
export function connectionPorts(kernel: Kernel<any>): ConnectionPort[] {
  const { table } = kernel.processes
  return (kernel.main?.peers.live() ?? []).map(connection => {
    const number = numbers.get(connection) ?? ++last
    numbers.set(connection, number)
    return { port: new Port(table.node, number, table.creation), connection }
  })
}

/** For what is no connection */
export const newPort = ({ processes: { table } }: Kernel<any>): Port => new Port(table.node, ++last, table.creation)

type Item = (port: ConnectionPort, kernel: Kernel<any>) => Sendable

/** In the order in which port_info/1 tells them */
const items: Readonly<Record<string, Item>> = {
  name: () => charlist('tcp_inet'),
  links: (_, kernel) => owners(kernel),
  id: ({ port }) => Number(port.id),
  connected: (_, kernel) => owners(kernel)[0] ?? atom('undefined'),
  input: ({ connection }) => connection.stats.bytesIn,
  output: ({ connection }) => connection.stats.bytesOut,
  os_pid: () => atom('undefined'),
}

/** What port_info/2 tells besides */
const more: Readonly<Record<string, Item>> = {
  monitors: () => [],
  monitored_by: () => [],
  parallelism: () => false,
  locking: () => false,
  queue_size: ({ connection }) => connection.stats.bufferedBytes,
  memory: ({ connection }) => connection.stats.bufferedBytes + connection.stats.unfinishedBytes,
}

/** Who has the connections: the process that a BEAM node has for them, too */
const owners = (kernel: Kernel<any>): Term[] =>
  [kernel.processes.registry.pidOf(atom('net_kernel') as Atom)].filter(pid => pid !== undefined)

const all = (found: ConnectionPort, kernel: Kernel<any>, table = items): Tuple[] =>
  Object.entries(table).map(([name, item]) => tuple(atom(name), item(found, kernel) as Term))

/** What observer_backend tells of each */
export const portList = (kernel: Kernel<any>): Sendable =>
  connectionPorts(kernel).map(found => [
    tuple(atom('port_id'), found.port),
    ...all(found, kernel),
    ...all(found, kernel, more),
    inet(found),
  ])

function inet({ connection: { remoteAddress, stats } }: ConnectionPort): Tuple {
  const statistics = [
    tuple(atom('recv_oct'), stats.bytesIn),
    tuple(atom('recv_cnt'), stats.signalsIn),
    tuple(atom('send_oct'), stats.bytesOut),
    tuple(atom('send_cnt'), stats.signalsOut),
    tuple(atom('send_pend'), stats.bufferedBytes),
  ]
  return tuple(atom('inet'), [tuple(atom('statistics'), statistics), ...remote(remoteAddress), tuple(atom('options'), [])])
}

/** `address:port`, where that is an IPv4 address */
function remote(address: string): Tuple[] {
  const found = /^(?:::ffff:)?(\d+)\.(\d+)\.(\d+)\.(\d+):(\d+)$/.exec(address)
  if (!found) return []
  const [a, b, c, d, port] = found.slice(1).map(Number) as [number, number, number, number, number]
  return [tuple(atom('remote_address'), tuple(a, b, c, d)), tuple(atom('remote_port'), port)]
}

export function portBuiltins(kernel: Kernel<any>): Builtins {
  const find = (port: unknown): ConnectionPort | undefined =>
    connectionPorts(kernel).find(known => port instanceof Port && equals(known.port, port))
  const none = atom('undefined')
  const own = (port: unknown): boolean => port instanceof Port && port.node === kernel.processes.table.node
  return {
    erlang: {
      'ports/0': () => connectionPorts(kernel).map(({ port }) => port),
      'port_info/1': (_, port) => {
        const found = find(port)
        return found ? all(found, kernel) : own(port) ? none : undefined
      },
      'port_info/2': (_, port, item) => {
        const name = item instanceof Atom ? item.name : ''
        const told = Object.hasOwn(items, name) ? items[name] : Object.hasOwn(more, name) ? more[name] : undefined
        const found = find(port)
        if (name === 'registered_name' && own(port)) return found ? [] : none
        if (!told || !own(port)) return undefined
        return found ? tuple(item as Atom, told(found, kernel) as Term) : none
      },
    },
  }
}
