/**
 * A microservice for a Phoenix application: it answers `GenServer.call`, and tells what changes to the subscribers of a Phoenix.PubSub topic.
 * The application needs nothing but the node's name; `MyApp.PubSub` is the name that it gives to its Phoenix.PubSub.
 *
 *     make start FILE=examples/pricing.ts
 *
 *     $ iex --name app@127.0.0.1 --cookie secret
 *     > GenServer.call({:pricing, :"pricing@127.0.0.1"}, {:quote, "pear", 3})
 *     {:ok, %{currency: "EUR", sku: "pear", total: 360}}
 *     > GenServer.call({:pricing, :"pricing@127.0.0.1"}, {:quote, "durian", 1})
 *     {:error, :unknown_sku}
 *     > Phoenix.PubSub.subscribe(MyApp.PubSub, "prices")
 *     :ok
 *     > GenServer.cast({:pricing, :"pricing@127.0.0.1"}, {:set_price, "pear", 150})
 *     :ok
 *     > receive do message -> message end
 *     {:price_changed, "pear", 150}
 *     > GenServer.call({:pricing, :"pricing@127.0.0.1"}, {:quote, "pear", 2})
 *     {:ok, %{currency: "EUR", sku: "pear", total: 300}}
 */
import { atom, type Node, type Sendable, tuple } from 'beamlet'
import { genServer, reply } from 'beamlet/otp'

const [adapter, dispatcher] = [atom('Elixir.MyApp.PubSub.Adapter'), atom('Elixir.Phoenix.PubSub')]

/** `Phoenix.PubSub.broadcast(MyApp.PubSub, topic, message)`: see docs/services.md. */
function broadcast(node: Node, topic: string, message: Sendable): void {
  for (const pid of node.pg.scope('Elixir.Phoenix.PubSub').members(adapter))
    if (pid.node.name !== node.name) node.send(pid, tuple(atom('forward_to_local'), topic, message, dispatcher))
}

const pricing = genServer({
  init: () =>
    new Map([
      ['apple', 40],
      ['pear', 120],
    ]),
  call: {
    quote(cents, sku: Buffer, quantity: number) {
      const price = cents.get(String(sku))
      if (price === undefined) return reply(tuple(atom('error'), atom('unknown_sku')), cents)
      return reply(tuple(atom('ok'), { sku, total: quantity * price, currency: 'EUR' }), cents)
    },
  },
  cast: {
    set_price(cents, sku: Buffer, price: number) {
      broadcast(this.node, 'prices', tuple(atom('price_changed'), sku, price))
      return new Map(cents).set(String(sku), price)
    },
  },
})

export default async function (node: Node): Promise<void> {
  // It is there before the first connection: so each node that comes tells it who its subscribers are.
  node.pg.scope('Elixir.Phoenix.PubSub')
  await node.start(pricing, { name: 'pricing' })
}
