/**
 * What `ttb` of another node has here: a process for each trace that tells what it knows besides, over the trace port. It writes no files here.
 *
 *   rpc   ttb_init_node({local, File, Port}, ProcessInfo, [{Key, Value}])   {ok, {local, File, Port}, Meta}
 *         ttb_write_trace_info(Meta, Key, What), ttb_stop(Meta)
 *         → {metadata, File, <<Size, Term>>} on the port, for each {Key, Value}, and with ProcessInfo for each process {pid, {Pid, Name | MFA}}
 *
 * Source: observer_backend.erl (ttb_init_node, ttb_meta_tracer, ttb_make_binary), OTP 25 to 29.
 */
import { encode } from '../../etf/index.js'
import type { TracePort } from '../../net/trace-port.js'
import type { Builtin } from '../../otp/rpc/builtins.js'
import { type Wanted, wantedItems } from '../../otp/process-info/items.js'
import type { ProcessInfo } from '../../otp/process-info/process-info.js'
import type { Process } from '../../process/index.js'
import { Atom, atom, equals, Fun, Pid, type Sendable, type Term, Tuple, tuple } from '../../term/index.js'

const wanted = wantedItems([atom('registered_name'), atom('initial_call')]) as Wanted

export function ttbBuiltins(portOf: (port: unknown) => TracePort | undefined, info: ProcessInfo): Record<string, Builtin> {
  async function names(self: Process): Promise<Term[]> {
    const found: Term[] = []
    for await (const rows of info.all(self.pid, wanted))
      for (const [pid, [name, call]] of rows)
        found.push(tuple(atom('pid'), tuple(pid, name instanceof Atom ? name : (call as Term))) as Term)
    return found
  }

  return {
    'ttb_init_node/3': async (self, where: Term, told: Term, about: Term) => {
      if (!(where instanceof Tuple) || where.length !== 3 || where.tag !== 'local' || !Array.isArray(about)) return undefined
      const [, file, to] = where.elements as readonly [Term, Term, Term]
      const port = portOf(to)
      if (!port) return undefined
      const control = (about as Term[]).find((one): one is Tuple => one instanceof Tuple && one.tag === 'ttb_control')
      const meta = self.spawn(worker => metadata(worker, port, file, control?.elements[1]))
      self.send(meta, tuple(atom('metadata'), about as Term))
      if (told === true) self.send(meta, tuple(atom('metadata'), await names(self)))
      return tuple(atom('ok'), where, meta)
    },
    'ttb_write_trace_info/3': (self, meta: Term, key: Term, what: Term): Sendable | undefined => {
      if (!(meta instanceof Pid)) return undefined
      self.send(meta, tuple(atom('metadata'), key, what))
      return atom('ok')
    },
    'ttb_stop/1': async (self, meta: Term) => {
      if (!(meta instanceof Pid)) return undefined
      const ref = self.monitor(meta)
      self.send(meta, atom('stop'))
      await self.receive(
        (term: unknown): term is Tuple => term instanceof Tuple && term.tag === 'DOWN' && equals(term.elements[1] as Term, ref),
      )
      return atom('ok')
    },
  }
}

/** The process itself: it ends with who traces. */
async function metadata(self: Process, port: TracePort, file: Term, control: unknown): Promise<void> {
  if (control instanceof Pid) self.monitor(control)
  for await (const message of self) {
    if (message === atom('stop') || (message instanceof Tuple && message.tag === 'DOWN')) return
    if (!(message instanceof Tuple) || message.tag !== 'metadata') continue
    const [, first, second] = message.elements as readonly [Term, Term, Term?]
    const entries = message.length === 2 ? (first as readonly Term[]) : [tuple(first, second as Term)]
    // A fun would have to be called first, to know what it tells.
    for (const entry of entries) if (!(second instanceof Fun)) port.send(encode(tuple(atom('metadata'), file, packed(entry))))
  }
}

/** With its size before it, which has a size itself when it is longer than a byte says */
function packed(term: Term): Buffer {
  const bytes = encode(term)
  if (bytes.length <= 255) return Buffer.concat([Buffer.from([bytes.length]), bytes])
  const size = encode(tuple(atom('$size'), bytes.length))
  return Buffer.concat([Buffer.from([size.length]), size, bytes])
}
