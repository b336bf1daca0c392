/** Writes a small database of locations in MaxMind's format, version 2.0, of IPv4 prefixes. */
type Value = string | number | { readonly [key: string]: Value }

const MARK = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1')
/** Between the tree and the data. */
const SEPARATOR = Buffer.alloc(16)

function encode(value: Value): Buffer {
  if (typeof value === 'string') {
    const text = Buffer.from(value)
    if (text.length > 28) throw new TypeError('only short texts')
    return Buffer.concat([Buffer.of((2 << 5) | text.length), text])
  }
  if (typeof value === 'number') {
    const number = Buffer.alloc(4)
    number.writeUInt32BE(value)
    return Buffer.concat([Buffer.of((6 << 5) | 4), number])
  }
  const entries = Object.entries(value)
  return Buffer.concat([
    Buffer.of((7 << 5) | entries.length),
    ...entries.flatMap(([key, inner]) => [encode(key), encode(inner)]),
  ])
}

/** @param places by prefix, such as `10.0.0.0/8` */
export function mmdb(places: Readonly<Record<string, Value>>): Buffer {
  type Node = [Node | number | undefined, Node | number | undefined]
  const nodes: Node[] = [[undefined, undefined]]
  const data: Buffer[] = []
  let length = 0
  for (const [prefix, place] of Object.entries(places)) {
    const [address = '', bits = '0'] = prefix.split('/')
    const number = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
    let node = nodes[0]
    for (let bit = 0; bit < Number(bits); bit++) {
      const side = (number >>> (31 - bit)) & 1
      if (node === undefined) throw new TypeError('no node')
      if (bit === Number(bits) - 1) {
        node[side] = length
        break
      }
      let next = node[side]
      if (typeof next !== 'object') {
        next = [undefined, undefined]
        nodes.push(next)
        node[side] = next
      }
      node = next
    }
    const bytes = encode(place)
    data.push(bytes)
    length += bytes.length
  }
  const record = (value: Node | number | undefined): Buffer => {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(
      value === undefined
        ? nodes.length
        : typeof value === 'number'
          ? nodes.length + 16 + value
          : nodes.indexOf(value),
    )
    return bytes
  }
  return Buffer.concat([
    ...nodes.flatMap(([left, right]) => [record(left), record(right)]),
    SEPARATOR,
    ...data,
    MARK,
    encode({
      node_count: nodes.length,
      record_size: 32,
      ip_version: 4,
      database_type: 'Test-City',
      binary_format_major_version: 2,
      binary_format_minor_version: 0,
    }),
  ])
}
