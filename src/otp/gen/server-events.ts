/** What gen_servers have in common, and their events as text, as `sys:trace` prints them. Source: gen_server.erl (print_event). */
import { type Atom, atom, type Term, Tuple, tuple } from '../../term/index.js'
import type { OtpModule } from './runner.js'
import { ioLibFormat } from '../io/io-lib-format.js'

const name = atom('gen_server') as Atom

export const genServerModule: OtpModule = { name, formatEvent: formatServerEvent, loop: tuple(name, atom('loop') as Atom, 5) }

export function formatServerEvent(event: Term, name: Term): string {
  const [what, first, second, third] =
    event instanceof Tuple ? (event.elements as readonly [Term & { name: string }, Term, Term, Term]) : []
  if (what?.name === 'in') return formatIn(first as Term, name)
  if (what?.name === 'out') {
    const to = (second as Tuple).elements[0] as Term
    return ioLibFormat('*DBG* ~tp sent ~tp to ~tw, new state ~tp~n', [name, first as Term, to, third as Term])
  }
  if (what?.name === 'noreply') return ioLibFormat('*DBG* ~tp new state ~tp~n', [name, first as Term])
  return ioLibFormat('*DBG* ~tp dbg  ~tp~n', [name, event])
}

export function formatIn(message: Term, name: Term): string {
  const [, second, third] = message instanceof Tuple ? (message.elements as readonly Term[]) : []
  if (message instanceof Tuple && message.tag === '$gen_call' && second instanceof Tuple)
    return ioLibFormat('*DBG* ~tp got call ~tp from ~tw~n', [name, third as Term, second.elements[0] as Term])
  if (message instanceof Tuple && message.tag === '$gen_cast') return ioLibFormat('*DBG* ~tp got cast ~tp~n', [name, second as Term])
  return ioLibFormat('*DBG* ~tp got ~tp~n', [name, message])
}
