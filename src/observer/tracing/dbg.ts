/**
 * What the `dbg` of another node has here: a relay for each session, which it spawns and is linked to.
 *
 *   spawn_link  do_relay([Name, ] Dbg, Pid | {port, Fun})   {started, Tracer [, Session]} to Dbg; then events to that pid, or to who reads the port
 *   rpc         dbg:erlang_trace, get_info, deliver_and_flush; trace:function, info; erlang:trace_pattern, trace_info, port_control
 *
 * The relay ends with Dbg, and the session with the relay. A tracer that would run code here or write a file is refused.
 *
 * Source: dbg.erl (relay, do_relay, trac, display_info), OTP 25 to 29.
 */
import type { Kernel } from '../../node/kernel.js'
import type { Builtins } from '../../otp/rpc/builtins.js'
import type { ProcessInfo } from '../../otp/process-info/process-info.js'
import { type Wanted, wantedItems } from '../../otp/process-info/items.js'
import { ErlangError, type Process } from '../../process/index.js'
import { Atom, atom, Fun, NodeError, Pid, Port, type Sendable, type Term, Tuple, tuple } from '../../term/index.js'
import type { TracePort } from '../../net/trace-port.js'
import { newPort } from '../ports.js'
import { flagsOf, toTerm, tracerOf } from './flags.js'
import { PidOutlet, PortOutlet } from './outlet.js'
import type { Whom } from './tracer.js'
import type { Tracing } from './tracing.js'
import { ttbBuiltins } from './ttb.js'

const initialCall = wantedItems([atom('initial_call')]) as Wanted

export function dbgBuiltins(kernel: Kernel<any>, tracing: Tracing, info: ProcessInfo): Builtins {
  const ports = new Map<bigint, TracePort>()
  const portOf = (port: unknown): TracePort | undefined =>
    port instanceof Port && port.node === kernel.processes.table.node ? ports.get(port.id) : undefined

  async function relay(self: Process, dbg: Term, to: Term, name?: Term): Promise<Atom | undefined> {
    if (!(dbg instanceof Pid)) return undefined
    self.trapExit = true
    const opened = await openPort(kernel, to)
    // It waits for ever to hear that the tracer has started, and whoever asked it with it: it takes no refusal, so it is ended.
    if (!(to instanceof Pid) && opened === null) self.exit(dbg, atom('kill'))
    else if (self.alive) await serve(self, dbg, to, opened, name)
    return atom('ok') as Atom
  }

  async function serve(self: Process, dbg: Pid, to: Term, opened: TracePort | null, name: Term | undefined): Promise<void> {
    const outlet = opened ? new PortOutlet(opened) : new PidOutlet(kernel, to as Pid)
    const port = opened ? newPort(kernel) : null
    if (port && opened) ports.set(port.id, opened)
    const session = tracing.open(self.pid, name ?? atom('dbg'), port ?? self.pid, outlet)
    try {
      const answer = [session.tracer, ...(name === undefined ? [] : [session.term])]
      self.send(dbg, new Tuple([atom('started'), ...answer]))
      for await (const message of self) {
        if (message instanceof Tuple && message.tag === 'EXIT') return
        outlet.take(message)
      }
    } finally {
      tracing.close(session)
      opened?.close()
      if (port) ports.delete(port.id)
    }
  }

  const whomOf = (spec: Term): Whom | 'nobody' | null => {
    const pid = spec instanceof Atom ? (kernel.processes.registry.pidOf(spec) ?? spec) : spec
    if (pid instanceof Pid) return pid.node === kernel.processes.table.node ? pid : null
    return pid instanceof Atom ? (kinds[pid.name] ?? null) : null
  }

  async function trace(sessionOf: Term | undefined, spec: Term, how: Term, flags: Term): Promise<Sendable | undefined> {
    const session = sessionOf === undefined ? undefined : tracing.find(sessionOf)
    const wanted = flagsOf(flags)
    const whom = whomOf(spec)
    if (whom === null) return tuple(atom('no_proc'), spec)
    if (!session || !wanted || typeof how !== 'boolean') return undefined
    if (whom === 'nobody') return 0
    const count = await tracing.set(session, whom, how, wanted)
    if (count > 0 || !(whom instanceof Pid)) return count
    throw new ErlangError(atom('badarg'))
  }

  const flagsInfo = async (of: Term, item: Term): Promise<Sendable | undefined> => {
    if (!(of instanceof Pid) || of.node !== kernel.processes.table.node || item !== atom('flags')) return undefined
    if (!(await kernel.isAlive(of))) return atom('undefined')
    return tuple(item, toTerm(await tracing.flagsOf(of)))
  }

  async function allTraced(self: Process): Promise<Sendable> {
    const found: Term[] = []
    for await (const rows of info.all(self.pid, initialCall)) {
      for (const [pid, [call]] of rows) {
        const flags = await tracing.flagsOf(pid)
        if (flags.size > 0) found.push(tuple(pid, call as Term, toTerm(flags)) as Term)
      }
    }
    return found
  }

  async function flush(): Promise<Sendable> {
    await tracing.flush()
    return [0]
  }

  return {
    dbg: {
      'do_relay/2': (self, dbg, to) => relay(self, dbg, to),
      'do_relay/3': (self, name, dbg, to) => relay(self, dbg, to, name),
      'erlang_trace/3': (_, spec, how, flags) => trace(tracerOf(flags), spec, how, flags),
      'erlang_trace/4': (_, session, spec, how, flags) => trace(session, spec, how, flags),
      'get_info/0': allTraced,
      'deliver_and_flush/1': flush,
      'deliver_and_flush/2': flush,
    },
    // No function of JavaScript can be traced.
    trace: {
      'function/4': () => 0,
      'info/3': (_, _session, of, item) => flagsInfo(of, item),
    },
    erlang: {
      'trace_pattern/2': () => 0,
      'trace_pattern/3': () => 0,
      'trace_info/2': (_, of, item) => flagsInfo(of, item),
      'port_control/3': (_, port, command) => {
        const opened = portOf(port)
        if (!opened) return undefined
        if (command === 112) return Buffer.from([0, opened.port >> 8, opened.port & 255])
        return command === 102 ? [] : undefined
      },
    },
    observer_backend: ttbBuiltins(portOf, info),
  }
}

const kinds: Readonly<Record<string, Whom | 'nobody'>> = {
  all: 'all',
  processes: 'all',
  new: 'new',
  new_processes: 'new',
  existing: 'existing',
  existing_processes: 'existing',
  // None is traced.
  ports: 'nobody',
  new_ports: 'nobody',
  existing_ports: 'nobody',
}

/** The port that a fun of dbg:trace_port/2 would open; null: it is none of TCP, or cannot be had. */
async function openPort(kernel: Kernel<any>, to: Term): Promise<TracePort | null> {
  if (!(to instanceof Tuple) || to.tag !== 'port' || to.length !== 2) return null
  const made: unknown = to.elements[1]
  if (!(made instanceof Fun) || made.module !== atom('dbg') || made.free.length !== 2) return null
  const [queue, port] = made.free
  if (typeof queue !== 'number' || typeof port !== 'number' || !(port >= 0 && port < 65536)) return null
  try {
    return (await kernel.main?.openTracePort(port, Math.min(queue, mostWaiting))) ?? null
  } catch (error) {
    if (error instanceof NodeError) return null
    throw error
  }
}

const mostWaiting = 100_000
